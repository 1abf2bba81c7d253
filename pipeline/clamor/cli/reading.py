"""Commands about texts: read, and the catalogue that reading goes by."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from clamor.cli import common
from clamor.cli.common import Config, Json
from clamor.errors import ClamorError, InputError

Service = Annotated[str | None, typer.Option(help="Read every text as being about this service.")]

catalogue = typer.Typer(
    help="What the reader goes by: services, phrases, regions.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def add(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    app.command()(read)
    commands: list[Callable[..., None]] = [services, check, explain]
    for command in commands:
        catalogue.command()(command)
    app.add_typer(catalogue, name="catalog")


def read(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="Posts (CSV, JSON lines, Parquet): id, text, ...", show_default=False)
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where the readings go (Parquet, CSV, JSON lines).")],
    service: Service = None,
    column: Annotated[
        list[str] | None, typer.Option(metavar="NAME=HEADING", help="Column by its heading (repeat it).")
    ] = None,
    config: Config = None,
) -> None:
    """Read posts: which service, what trouble, and where.

    One row a post and service that it names. Columns: id, text; optional user_location, lat, long, subreddit, flair,
    lang, place, place_country. No text leaves.
    """
    from clamor import frames
    from clamor.text.frame import read_frame

    frames.check_ending(out)
    if out.exists() and file.exists() and out.samefile(file):
        raise InputError(f"--out {out}: would overwrite the file that is read; name another")
    posts = frames.read(file)
    for name, heading in common.pairs(column).items():
        if heading not in posts.columns:
            raise InputError(f"{file}: no column {heading!r} among {', '.join(posts.columns)}; name one of these")
        posts[name] = posts[heading]
    readings = read_frame(posts, _names(config), service)
    frames.write(readings, out)
    common.say(
        f"{out}: {len(readings):,} readings of {readings.attrs['posts']:,} posts; "
        f"{readings.attrs['unmatched']:,} name no known service and have no row"
    )


def services(config: Config = None, json: Json = False) -> None:
    """List the services of the catalogue."""
    rows: list[dict[str, Any]] = [
        {
            "id": service.id,
            "name": service.name,
            "kind": service.kind,
            "parent": service.parent,
            "regions": " ".join(service.regions) or "world",
            "subreddits": " ".join(service.subreddits),
        }
        for service in _names(config).services.values()
    ]
    if json:
        common.show_json(rows)
    else:
        common.show_table(rows)


def check(config: Config = None, json: Json = False) -> None:
    """Find mistakes in the catalogue.

    Names of two services, phrases that no text can match or that two lists contradict, queries that X does not take.
    """
    from clamor import catalog
    from clamor.text.explain import contrary, unreachable

    names = _names(config)
    rows = [{"kind": f.kind, "about": f.about, "says": f.says} for f in catalog.check(names)]
    rows += [
        {"kind": "phrase", "about": f"{language}: {written}", "says": "no text can match it; write it in other words"}
        for language, written in unreachable(names.phrases)
    ]
    rows += [
        {"kind": "phrase", "about": f"{language}: {said}", "says": "is trouble and its contrary; leave it in one list"}
        for language, said in contrary(names.phrases)
    ]
    if json:
        common.show_json(rows)
    else:
        common.show_table(rows, empty=f"{len(names.services)} services, nothing wrong")
    if rows:
        raise ClamorError(f"{len(rows)} mistakes in the catalogue; correct the tables that they name")


def explain(
    text: Annotated[str, typer.Argument(help="A post.", show_default=False)],
    location: Annotated[str | None, typer.Option(help="A profile's location, to be read beside it.")] = None,
    service: Service = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Say what a text is read as, and which words made it so."""
    from dataclasses import asdict

    from clamor.text.explain import explain as why

    found = why(_names(config), text, location, service)
    if json:
        common.show_json([asdict(each) for each in found])
        return
    common.show_table([_reading(each) for each in found])
    place = found[0].place if found else None
    if place is not None:
        common.show_table([asdict(place)], title="place")


def _reading(found: Any) -> dict[str, Any]:
    return {
        "service": found.service or "(none known)",
        "signal": found.signal,
        "symptoms": ", ".join(found.symptoms),
        "claims": ", ".join(found.claims),
        "points": f"{found.points:g}",
        "because": "; ".join(f"{kind} {points:+g}: {words}" for kind, points, words in found.reasons),
        "language": found.language,
    }


def _names(config: Path | None) -> Any:
    from clamor import catalog
    from clamor import config as settings_module

    return catalog.load(settings_module.load(config).catalog)
