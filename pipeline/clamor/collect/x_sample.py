"""Read a few posts of a candidate spike on X: what share is first-hand, which symptoms, which regions.

Posts are dear, so a sample has its own cap beside the budget's, and no text leaves: only shares, with the number of
posts read. https://docs.x.com/x-api/posts/search/introduction
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from clamor import schema
from clamor.collect.batch import Attempt, Batch, State, utc
from clamor.collect.budget import Budget
from clamor.collect.clock import Clock, floor_minute
from clamor.collect.count import PostReader
from clamor.collect.retry import Fault
from clamor.collect.x_call import SEARCH_RECENT, SETTLE_SECONDS, Caller, iso
from clamor.collect.x_query import SOURCE, Query, queries
from clamor.schema import ANY_SYMPTOM, WORLD, Signal, Status
from clamor.text.post import Post

if TYPE_CHECKING:
    import tweepy

PAGE_POSTS: Final = 100
"""Most posts in one page of search/recent; the least is 10."""


def sample(
    client: "tweepy.Client",
    catalog: Any,
    reader: PostReader,
    *,
    service: str,
    state: State,
    clock: Clock,
    window: tuple[float, float],
    max_posts: int = 100,
    cap_usd: float = 0.50,
    profiles: bool = False,
    budget: Budget | None = None,
) -> Iterator[Batch]:
    """Read the newest posts of the complaint query in a window and yield shares.

    Args:
        client: From ``open_client``.
        catalog: Names, terms and regions.
        reader: Reads a post.
        service: Catalogue id.
        state: Changed before the yield.
        clock: Gives now and sleeps.
        window: Start and end, seconds since the epoch; widened to whole minutes, ended where posts are settled.
        max_posts: Most posts to read.
        cap_usd: Most to spend, in US dollars, each page taken as full before it is asked for.
        profiles: Also read the authors' profile locations, which triples the price of a post.
        budget: Prices and caps; the default prices without caps when None.

    Yields one batch, with rows of SAMPLES (the bin is the window, the region of a share is ``001`` unless it is a
    region's share): signals among posts read; symptoms among complaints; regions (``ZZ``: no known place) among
    complaints.

    """
    caller = Caller(client, clock=clock, state=state, budget=budget or Budget())
    start, end = floor_minute(window[0]), min(floor_minute(window[1] + 59), floor_minute(clock.now() - SETTLE_SECONDS))
    if end <= start:
        return
    query = queries(catalog, service)[Signal.COMPLAINT]
    posts: dict[str, Post] = {}
    fault: Fault | None = None
    interrupt: KeyboardInterrupt | None = None
    try:
        for post in _read(caller, query, start, end, max_posts=max_posts, cap_usd=cap_usd, profiles=profiles):
            posts.setdefault(post.id, post)
    except Fault as error:
        fault = error
    except KeyboardInterrupt as error:
        fault, interrupt = Fault(Status.INTERRUPTED, "interrupted"), error
    rows = _shares(posts.values(), reader, service, start, end, clock.now())
    yield Batch((_attempt(caller, query, start, end, len(posts), fault),), samples=rows)
    if interrupt is not None:
        raise interrupt


def _read(
    caller: Caller, query: Query, start: float, end: float, *, max_posts: int, cap_usd: float, profiles: bool
) -> Iterator[Post]:
    prices = caller.budget.prices
    price = prices.post_usd + (prices.author_usd if profiles else 0.0)
    share = max(10, max_posts // len(query.parts))
    for part in query.parts:
        params: dict[str, Any] = _params(part, start, end, profiles)
        left = share
        while left >= 10:
            affordable = int((cap_usd - caller.cost_usd) / price + 1e-9)
            size = min(left, PAGE_POSTS, affordable)
            if size < 10:
                return
            params["max_results"] = size
            spent = caller.cost_usd
            body = caller.get(SEARCH_RECENT, params, size * price)
            posts = list(_posts(body))
            caller.refund(caller.cost_usd - spent - len(posts) * price)
            yield from posts
            left -= len(posts)
            token = (body.get("meta") or {}).get("next_token")
            if token is None or token == params.get("next_token"):
                break
            params["next_token"] = token


def _params(query: str, start: float, end: float, profiles: bool) -> dict[str, Any]:
    params = {
        "query": query,
        "start_time": iso(start),
        "end_time": iso(end),
        "tweet.fields": "created_at,lang,geo,author_id",
        "expansions": "geo.place_id",
        "place.fields": "country_code,full_name,place_type",
    }
    if profiles:
        params["expansions"] = "geo.place_id,author_id"
        params["user.fields"] = "location"
    return params


def _posts(body: Mapping[str, Any]) -> Iterator[Post]:
    """Yield the posts of a page of search; ``data`` is absent when there are none."""
    includes = body.get("includes") or {}
    places = {place.get("id"): place for place in includes.get("places") or ()}
    users = {user.get("id"): user for user in includes.get("users") or ()}
    for row in body.get("data") or ():
        geo = row.get("geo") or {}
        place = places.get(geo.get("place_id")) or {}
        point = (geo.get("coordinates") or {}).get("coordinates") or (None, None)
        try:
            yield Post(
                id=str(row["id"]),
                created_at=int(pd.Timestamp(row["created_at"]).timestamp()) if "created_at" in row else 0,
                text=row["text"],
                author=str(row.get("author_id", "")),
                lang=row.get("lang"),
                user_location=(users.get(row.get("author_id")) or {}).get("location"),
                lat=point[1],
                long=point[0],
                place=place.get("full_name"),
                place_country=place.get("country_code"),
            )
        except (KeyError, ValueError) as error:
            raise Fault(Status.MALFORMED, f"X: a post without {error}", http_status=200) from error


def _shares(
    posts: Iterable[Post], reader: PostReader, service: str, start: float, end: float, observed_at: float
) -> pd.DataFrame:
    readings = [reading for post in posts for reading in reader.read(post, service) if reading.service == service]
    if not readings:
        return schema.SAMPLES.empty()
    complaints = [reading for reading in readings if reading.signal == Signal.COMPLAINT]
    signals = Counter(str(reading.signal) for reading in readings)
    symptoms = Counter(str(symptom) for reading in complaints for symptom in reading.symptoms)
    regions = Counter(reading.region for reading in complaints)
    rows = [(WORLD, str(signal), ANY_SYMPTOM, signals[str(signal)], len(readings)) for signal in Signal]
    kind = str(Signal.COMPLAINT)
    rows += [(WORLD, kind, symptom, number, len(complaints)) for symptom, number in sorted(symptoms.items())]
    rows += [
        (region, kind, ANY_SYMPTOM, number, len(complaints))
        for region, number in sorted(regions.items())
        if region != WORLD
    ]
    frame = pd.DataFrame(rows, columns=["region", "signal", "symptom", "posts", "sample_size"])
    frame["source"], frame["service"] = SOURCE, service
    frame["bin_minutes"] = int((end - start) // 60)
    frame["bin_start"] = utc(start)
    frame["observed_at"] = utc(observed_at)
    return schema.to_pandas(schema.conform(frame, schema.SAMPLES))


def _attempt(caller: Caller, query: Query, start: float, end: float, posts: int, fault: Fault | None) -> Attempt:
    """Return the ledger's row of a sample: it proves nothing about volumes, so it never says ``ok``."""
    requests, cost_usd = caller.take()
    return Attempt(
        source=SOURCE,
        scope=f"x:sample:{query.service}",
        window_start=start,
        window_end=end,
        requested_at=caller.clock.now(),
        services=(query.service,),
        regions=(WORLD,),
        signals=(),
        bin_minutes=max(1, int((end - start) // 60)),
        status=Status.SKIPPED if fault is None else fault.status,
        bins_received=0,
        requests=requests,
        cost_usd=cost_usd,
        http_status=200 if fault is None else fault.http_status,
        detail=f"a sample of {posts} posts, which counts nothing" if fault is None else str(fault),
    )
