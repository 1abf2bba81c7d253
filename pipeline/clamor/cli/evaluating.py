"""The command that measures the reader on labelled texts."""

from pathlib import Path
from typing import Annotated, Any

import typer

from clamor.cli import common
from clamor.cli.common import Config, Json
from clamor.errors import InputError

evaluation = typer.Typer(
    help="How well texts are read, on labelled ones.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def add(app: typer.Typer) -> None:
    """Add these commands to the command line."""

    @evaluation.callback()
    def group() -> None:
        """Keep ``text`` a command of its own name."""

    evaluation.command("text")(text)
    app.add_typer(evaluation, name="eval")


def text(
    labels: Annotated[Path, typer.Option(metavar="FOLDER", help="The labels.")] = Path("tests/labels"),
    uk_mobile: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Posts to UK mobile networks: text, subject, sentiment.")
    ] = None,
    power: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Posts on power cuts, whose rows power_posts.csv labels.")
    ] = None,
    profiles: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Profile texts, whose rows profile_locations.csv labels.")
    ] = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Measure the reader beside a keyword regex: invented posts, and real ones where files are given."""
    import pandas as pd

    from clamor import catalog
    from clamor import config as settings
    from clamor.text import labelled, labelled_places

    names = catalog.load(settings.load(config).catalog)
    tables = {}
    for series, title in labelled.SETS.items():
        spoken = labelled.languages(labels, series)
        if not spoken:
            raise InputError(f"{labels}: no {series}_<language>.csv; --labels is the folder of the labelled posts")
        tables[title] = pd.concat([labelled.synthetic(labels, each, names, series) for each in spoken])
    tables |= {
        title: labelled.scored(labels / f"{each}.csv", "en", names)
        for each, title in labelled.ENGLISH.items()
        if (labels / f"{each}.csv").exists()
    }
    tables |= {
        f"{title}: called complaints": labelled.passing(labels, "tiktok", names, series)
        for series, title in labelled.PASSING.items()
        if (labels / f"{series}_tiktok.csv").exists()
    }
    if (labels / "ambiguous_names.csv").exists():
        tables["names that mean other things too, blind"] = labelled.naming(labels / "ambiguous_names.csv", names)
    if uk_mobile:
        tables["posts to UK mobile networks"] = labelled.uk_mobile(uk_mobile, names)
    if power:
        tables["posts on power cuts"] = labelled.power(power, labels, names)
    if profiles:
        places = labelled_places.texts(profiles, labels)
        places = places[places["set"].str.contains("report|second")]
        tables["places in profiles"] = labelled_places.profiles(places)
        tables["places in profiles: answers right, by confidence"] = labelled_places.reliability(places)
    if json:
        common.show_json([{"table": title, **row} for title, table in tables.items() for row in _rows(table)])
        return
    for title, table in tables.items():
        shown = table.rename(
            columns={"commentary_called_complaint": "commentary", "mention_called_complaint": "mention"}
        )
        common.show_table([{k: _short(v) for k, v in row.items()} for row in _rows(shown)], title=title)
    common.say("commentary, mention: the share of these that was called a complaint")


def _rows(table: Any) -> list[dict[str, Any]]:
    return [{str(k): None if v != v else v for k, v in row.items()} for row in table.to_dict("records")]


def _short(value: Any) -> Any:
    return f"{value:.3f}" if isinstance(value, float) else value
