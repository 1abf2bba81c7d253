"""Commands that ask the live services: run, backfill, budget, doctor."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from clamor.cli import common
from clamor.cli.common import Bin, Budget, Config, Fail, Json, Lake, Services
from clamor.errors import ConfigError, SourceError

_LONGEST_PROBLEM = 300


def add(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    commands: list[Callable[..., None]] = [run, backfill, budget, doctor]
    for command in commands:
        app.command()(command)


def run(
    service: Services = None,
    report: Annotated[Path | None, typer.Option(metavar="FILE", help="Also write the page to this file.")] = None,
    fail_on_incident: Fail = False,
    bin: Bin = None,
    budget: Budget = None,
    lake: Lake = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Collect from the live services, decide, and report. Safe to repeat: run it from cron every 15 minutes."""
    from clamor import catalog
    from clamor import config as settings_module
    from clamor.cli.telling import incident_row
    from clamor.collect.clock import SystemClock
    from clamor.run import live, show
    from clamor.run.evaluate import Learned
    from clamor.store import Lake as Store
    from clamor.text.read import Reader

    settings = settings_module.load(config, lake=lake, bin=bin, budget=budget, services=service or None)
    _tell_missing(settings)
    names = catalog.load(settings.catalog)
    _check(settings, names)
    clients = live.open_clients(settings)
    if clients.x is not None:
        _affordable(settings, names)
    if clients.reddit is not None:
        common.say(live.walks(Store(settings.lake), names, settings))
    store, clock = Store(settings.lake), SystemClock()
    learned = Learned(say=lambda line: common.say(f"clamor: {line}"))
    with live.alone(settings, clock):
        outcome = live.once(store, names, Reader(names), settings, clients, clock, learned=learned)
    _account(outcome.collected)
    decided = outcome.decided
    rows = [] if decided is None else decided.incidents.to_dict("records")
    ongoing = [row for row in rows if row["status"] == "ongoing"]
    answered = any(_proved(done) for done in outcome.collected.values())
    if json:
        common.show_json(ongoing)
    else:
        title = "SYNTHETIC data" if store.synthetic else None
        calm = "no incident is open" if answered and decided is not None else "nothing new is known"
        common.show_table([incident_row(row, names) for row in ongoing], title=title, empty=calm)
        for row in ongoing:
            for name, line in live.languages(store, row, clock.now()).items():
                typer.echo(f"{name}, by language on X: {line}")
    if report is not None and decided is not None:
        show.write_page(show.page(store, names, bin_minutes=settings.bin_minutes), report)
        common.say(f"{report}: written")
    if not answered:
        raise SourceError("no source answered, so nothing new is known; see the lines above and run it again")
    if fail_on_incident and ongoing:
        raise typer.Exit(3)


def _check(settings: Any, names: Any) -> None:
    common.check_services(settings.services, names)
    common.check_regions(settings.x.countries, names)


def _proved(done: Any) -> bool:
    """Tell whether a collector proved anything, or had nothing left to ask."""
    return not done.failed or any(done.attempts.get(status) for status in ("ok", "partial"))


def _account(collected: Any) -> None:
    """Say what was asked, stored and refused."""
    for name, done in collected.items():
        for problem in done.problems:
            common.say(f"clamor: {problem[:_LONGEST_PROBLEM]}")
        common.say(f"{name}: {done.requests} requests, about ${done.cost_usd:.2f}, {done.rows:,} new or changed rows")


def _tell_missing(settings: Any) -> None:
    """Say which credentials are missing; refuse where no source is left."""
    from clamor.config import how_to_get

    missing = settings.missing()
    if all(missing.values()):
        raise ConfigError(
            "no credentials, so there is nothing to collect from; set these (or the same in clamor.toml):\n"
            f"{how_to_get([name for names in missing.values() for name in names])}\n"
            "One source is enough. `clamor demo` and `clamor import` need no credentials."
        )
    for source, names in missing.items():
        if names:
            common.say(f"{source} is left out; not set:\n{how_to_get(names)}")


def _plan(settings: Any, names: Any) -> Any:
    from clamor.collect.plan import plan
    from clamor.run.live import money

    return plan(
        names,
        services=list(settings.services or names.services),
        countries=settings.x.countries,
        languages=settings.x.languages,
        poll_minutes=settings.x.poll_minutes,
        country_beat_minutes=settings.x.country_beat_minutes,
        language_beat_minutes=settings.x.language_beat_minutes,
        budget=money(settings),
    )


def _affordable(settings: Any, names: Any) -> None:
    """State what polling costs; refuse what passes a limit before anything is asked."""
    planned = _plan(settings, names)
    common.say(str(planned))
    if most := _sample_usd(settings):
        common.say(
            "X: while a service fails, its countries at every poll, its languages every hour and a sample of its posts "
            f"of at most ${most:,.2f} an hour come on top, within the caps"
        )
    if planned.problem:
        raise ConfigError(
            f"{planned.problem}; these are settings: services (or --service), x.poll_minutes, "
            "x.country_beat_minutes, x.countries, x.languages, x.daily_cap_usd, x.monthly_cap_usd"
        )


def _sample_usd(settings: Any) -> float:
    """Return the most that one sample may cost."""
    there = settings.x
    post = there.price_post_usd + (there.price_author_usd if there.sample_profiles else 0.0)
    return float(min(there.sample_posts * post, there.sample_cap_usd))


def backfill(
    since: Annotated[str, typer.Option(metavar="TIME", help="First day, as 2026-10-01.")],
    until: Annotated[str | None, typer.Option(metavar="TIME", help="End [now].")] = None,
    service: Services = None,
    lake: Lake = None,
    config: Config = None,
) -> None:
    """Fetch X's counts of the past (counts/all, 31 days a page). Interrupted, it goes on where it stopped."""
    from clamor import catalog
    from clamor import config as settings_module
    from clamor.collect.clock import SystemClock
    from clamor.run import live
    from clamor.run.past import Past
    from clamor.store import Lake as Store

    settings = settings_module.load(config, lake=lake, services=service or None)
    if settings.missing()["x"]:
        raise ConfigError(
            "counts of the past come from X, and its credentials are missing; set these:\n"
            f"{settings_module.how_to_get(settings.missing()['x'])}\n"
            "For Reddit's past import a dump with `clamor import`, which needs no credentials."
        )
    names, clock, store = catalog.load(settings.catalog), SystemClock(), Store(settings.lake)
    _check(settings, names)
    start, end = common.instant(since, "--since"), common.instant(until, "--until")
    last = clock.now() if end is None else end.timestamp()
    if start.timestamp() >= last:
        raise ConfigError(
            f"--since {since!r} is not before --until ({until or 'now'}); nothing lies between; swap them"
        )
    past = Past(settings, names, start.timestamp(), None if end is None else last)
    common.say(f"polling, for comparison: {_plan(settings, names)}")
    common.say(past.affordable(store, clock.now()))
    with live.alone(settings, clock), common.Progress("backfill") as progress:
        done = past.fetch(store, live.open_clients(settings).x, clock, on_requests=progress)
    _account({"x": done})
    if done.failed:
        raise typer.Exit(1)


def budget(service: Services = None, lake: Lake = None, config: Config = None, json: Json = False) -> None:
    """Show what X has cost, what the caps leave, and what comes.

    Spent is by the lake's own ledger; what comes is what this configuration will ask and cost.
    """
    from dataclasses import asdict

    from clamor import catalog
    from clamor import config as settings_module
    from clamor.collect.budget import spent
    from clamor.collect.clock import SystemClock
    from clamor.run.ingest import read_state
    from clamor.run.live import money
    from clamor.store import Lake as Store

    settings = settings_module.load(config, lake=lake, services=service or None)
    names = catalog.load(settings.catalog)
    _check(settings, names)
    used = spent(read_state(Store(settings.lake), "x"), money(settings), SystemClock().now())
    planned = _plan(settings, names)
    if json:
        common.show_json([{**asdict(used), "plan": asdict(planned)}])
        return
    common.show_table(
        [
            {"UTC": "today", "spent ($)": f"{used.day_usd:,.2f}", "left ($)": f"{used.day_left_usd:,.2f}"},
            {"UTC": "this month", "spent ($)": f"{used.month_usd:,.2f}", "left ($)": f"{used.month_left_usd:,.2f}"},
        ],
        title="Estimated cost of X, by the ledger of the lake; the vendor's invoice is the truth",
    )
    typer.echo(str(planned))
    if planned.problem:
        typer.echo(f"not allowed: {planned.problem}")


def doctor(
    offline: Annotated[bool, typer.Option("--offline", help="Ask no service, and so spend nothing.")] = False,
    service: Services = None,
    lake: Lake = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Check credentials, clock, permissions, operators, lake, budget and lock, and say what to do about each failure.

    It asks X a few times, which costs cents and is said beforehand, and Reddit, which is free. Exit code 1: broken.
    """
    from dataclasses import asdict

    from clamor import catalog
    from clamor import config as settings_module
    from clamor.collect.clock import SystemClock
    from clamor.run.doctor import Health, bill, examine
    from clamor.store import Lake as Store

    settings = settings_module.load(config, lake=lake, services=service or None)
    names = catalog.load(settings.catalog)
    _check(settings, names)
    requests, usd, free = bill(settings, names)
    if not offline and requests + free:
        common.say(f"asks X {requests} times, ${usd:,.3f} in all, and Reddit {free} times, free; --offline asks nobody")
    store, clock = Store(settings.lake), SystemClock()
    found = list(examine(settings, names, store, clock, planned=_plan(settings, names), ask=not offline))
    if json:
        common.show_json([asdict(check) for check in found])
    else:
        common.show_table(
            [
                {
                    "check": c.name,
                    "": c.health,
                    "says": c.says,
                    "do": c.do,
                    "$": f"{c.cost_usd:.3f}" if c.cost_usd else "",
                }
                for c in found
            ]
        )
    if any(check.health == Health.BROKEN for check in found):
        raise typer.Exit(1)
