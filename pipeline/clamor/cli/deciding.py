"""Commands that decide: detect, backtest."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from clamor import budget as budgets
from clamor.cli import common
from clamor.cli.common import Bin, Budget, Config, Json, Lake, accepted
from clamor.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

EvalStart = Annotated[str | None, typer.Option(metavar="TIME", help="First bin to decide; earlier ones only teach.")]
Regions = Annotated[
    Path | None, typer.Option(metavar="FILE", help="With --counts: region; parent, timezone or utc_offset_h.")
]


def add(app: typer.Typer) -> None:
    """Add these commands to the command line."""
    commands: list[Callable[..., None]] = [detect, backtest]
    for command in commands:
        app.command()(command)


def detect(
    counts: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Your own counts (Parquet, CSV): service, region, bin_start, count."),
    ] = None,
    regions: Regions = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="With --counts: where each bin's state, score, p_value, q_value, expected, low, high, excess and flag "
            "go (Parquet, CSV).",
        ),
    ] = None,
    eval_start: EvalStart = None,
    bin: Bin = None,
    budget: Budget = None,
    lake: Lake = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Decide every bin: of the lake, or of your own counts.

    Without --counts the lake's volumes are judged, and its flags and incidents are replaced from --eval-start on.
    """
    from clamor import config as settings_module

    settings = settings_module.load(config, lake=lake, bin=bin, budget=budget)
    width = settings.bin_minutes
    start = common.instant(eval_start, "--eval-start")
    if counts is not None:
        _detect_counts(counts, regions, out, width, start, settings.budget, json=json)
        return
    if regions is not None or out is not None:
        raise InputError("--regions and --out go with --counts FILE; without it verdicts go to the lake")
    decided = _detect_lake(settings, width, start)
    _say_decided(decided, settings)
    if json:
        states = decided.flags.groupby(["source", "service", "state"]).size().rename("bins").reset_index()
        common.show_json(states.to_dict("records"))


def _say_decided(decided: Any, settings: Any) -> None:
    """Say how much was decided, how many incidents are known, and each that goes on in a sentence."""
    from clamor import catalog
    from clamor.incidents import sentence

    found = decided.incidents
    ongoing = found.loc[found["status"] == "ongoing"].sort_values("onset_at", ascending=False)
    line = f"{len(decided.flags):,} bins decided from {common.clock(decided.start)} to {common.clock(decided.end)} UTC"
    common.say(f"{line}; {len(found)} incidents known, {len(ongoing)} ongoing: see `clamor incidents`")
    names = {service.id: service.name for service in catalog.load(settings.catalog).services.values()}
    for row in ongoing.to_dict("records"):
        common.say(sentence(row, names))


def _detect_counts(
    counts: Path,
    regions: Path | None,
    out: Path | None,
    bin_minutes: int,
    start: "pd.Timestamp | None",
    budget: "budgets.Budget",
    *,
    json: bool,
) -> None:
    from clamor import frames, schema
    from clamor.baseline.counts import pairs
    from clamor.detect import detect as judge
    from clamor.report.words import counted

    if out is None:
        raise InputError("--counts needs --out FILE: a verdict for every bin is too much for a screen; name one")
    if out.exists() and any(
        given is not None and given.exists() and out.samefile(given) for given in (counts, regions)
    ):
        raise InputError(f"--out {out}: would overwrite the file that is read; name another")
    frames.check_ending(out)
    given = frames.counts(counts)
    tree = _tree(regions, given["region"])
    _say_unused(counts, (*schema.COUNTS_COLUMNS, "source"))
    if start is not None and start > given["bin_start"].max():
        raise InputError(
            f"--eval-start {start} is after the last bin ({given['bin_start'].max()}); name an earlier one"
        )
    series, zeros = pairs(given), bool((given["count"] == 0).any())
    verdicts = judge(given, tree, bin_minutes=bin_minutes, eval_start=start, budget=budget.rate(series))
    del given  # ten million bins are half a gigabyte
    verdicts = verdicts[list(schema.VERDICT_COLUMNS)]
    frames.write(verdicts, out)
    states = verdicts["state"].value_counts()
    told = ", ".join(f"{bins:,} {state}" for state, bins in states.items())
    common.say(f"{out}: {counted(len(verdicts), 'bin')} ({told}), at {budget.told(series)}")
    unknown = int(states.get(str(schema.State.NO_DATA), 0)) / len(verdicts)
    if unknown > 0.5 and not zeros:
        common.say(
            f"no count is 0, and {unknown:.0%} of the bins are absent or empty, which makes them unknown; "
            "if nobody complained then, give them as rows with a count of 0"
        )
    if json:
        common.show_json([{"out": str(out), "bins": len(verdicts), "states": states.to_dict()}])


def _tree(regions: Path | None, counted: "pd.Series[str]") -> "pd.DataFrame | None":
    """Return the regions file, or clamor's own places and clocks where every counted region is a code that has them."""
    from clamor import catalog, frames, schema

    if regions is not None:
        listed = frames.regions(regions)
        _say_unused(regions, schema.REGIONS_COLUMNS)
        return listed
    names, known = counted.unique(), catalog.regions()
    if not set(names) <= {*known["region"], schema.UNKNOWN_REGION}:
        return None
    common.say("all regions are known codes: places and clocks are clamor's own; --regions FILE says others")
    return known


def _say_unused(path: Path, used: Iterable[str]) -> None:
    """Name the columns that are not read: clocks under another heading would be UTC in silence."""
    from clamor import frames

    if left := frames.unused(path, tuple(used)):
        common.say(f"{path}: not used: {', '.join(left)}; what is read has the headings {', '.join(used)}")


def _detect_lake(settings: Any, bin_minutes: int, start: "pd.Timestamp | None") -> Any:
    import pandas as pd

    from clamor import catalog
    from clamor.run.evaluate import evaluate
    from clamor.store import Lake as Store

    decided = evaluate(
        Store(settings.lake),
        catalog.load(settings.catalog),
        now=pd.Timestamp.now("UTC").as_unit("us"),
        bin_minutes=bin_minutes,
        budget=settings.budget,
        start=start,
    )
    if decided is None:
        raise InputError(
            f"lake {settings.lake!r} holds nothing to decide; `clamor import`, `clamor run` or `clamor demo` fill it"
        )
    return decided


def backtest(
    counts: Annotated[
        Path, typer.Option(metavar="FILE", help="A history (Parquet, CSV): service, region, bin_start, count.")
    ],
    labels: Annotated[
        Path,
        typer.Option(
            metavar="FILE",
            help="Known incidents (CSV, Parquet): service, region, start_at, end_at; rows of one event_id are one.",
        ),
    ],
    regions: Regions = None,
    budget: Annotated[
        list[budgets.Budget] | None,
        typer.Option(metavar="N[/month]", parser=accepted, help="Budgets to try (repeat it) [0.02 0.05 0.1 0.2 0.5]."),
    ] = None,
    eval_start: EvalStart = None,
    bin: Annotated[list[str] | None, typer.Option(metavar="WIDTH", help="Widths to try (repeat it) [15min].")] = None,
    provider: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SERVICE", help="A service that others need (repeat it) [the catalogue's of the history]."
        ),
    ] = None,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="The table (Parquet, CSV).")] = None,
    incidents: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Every incident of every policy, found or false (Parquet, CSV).")
    ] = None,
    chart: Annotated[Path | None, typer.Option(metavar="FILE", help="A chart (HTML), offline.")] = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Say what each budget and bin width would have done to a history.

    Recall, precision, false alarms and delay against known incidents, with 95% intervals.
    """
    from clamor import backtest as library
    from clamor import config as settings_module
    from clamor import frames
    from clamor.backtest.policies import BUDGETS

    settings = settings_module.load(config)
    widths = [settings_module.bin_width(text) for text in bin] if bin else [settings.bin_minutes]
    _check_outputs({"--out": out, "--incidents": incidents}, chart, [counts, labels, regions])
    given = frames.counts(counts)
    done = library.backtest(
        given,
        frames.labels(labels),
        regions=_tree(regions, given["region"]),
        budgets=tuple(budget) if budget else BUDGETS,
        bins=widths,
        eval_start=common.instant(eval_start, "--eval-start"),
        providers=_providers(provider, set(given["service"].unique()), settings.catalog),
    )
    _write(out, done.table)
    _write(incidents, done.alarms())
    if chart is not None:
        _draw_policies(done.table, chart)
    if json:
        common.show_json(done.table.to_dict("records"))
    else:
        _say_policies(done.table)


def _write(path: Path | None, table: "pd.DataFrame") -> None:
    """Write a table, if it was given a file."""
    from clamor import frames

    if path is not None:
        frames.write(table, path)
        common.say(f"{path}: written")


def _draw_policies(table: "pd.DataFrame", chart: Path) -> None:
    from clamor import backtest as library
    from clamor.run.show import write_page

    write_page(library.chart(table).to_html(inline=True), chart)
    common.say(f"{chart}: written")


def _providers(named: "list[str] | None", services: set[str], path: Path | None) -> list[str]:
    """Return the services of a history that others need: those named, else what the catalogue says."""
    from clamor import catalog
    from clamor.incidents import PROVIDER_KINDS

    strange = sorted(set(named or ()) - services)
    if strange:
        raise InputError(
            f"--provider {strange[0]}: no service of the history; it has {', '.join(sorted(services)[:8])}"
        )
    known = catalog.load(path).services.values() if named is None else ()
    return named or sorted({service.id for service in known if service.kind in PROVIDER_KINDS} & services)


def _check_outputs(tables: Mapping[str, Path | None], chart: Path | None, read: Iterable[Path | None]) -> None:
    """Refuse places that cannot be written, or that would overwrite what is read, before the work is done."""
    from clamor import frames

    given = [path for path in read if path is not None]
    written = [path for path in (*tables.values(), chart) if path is not None]
    for path in written:
        if path in given or (path.exists() and any(each.exists() and path.samefile(each) for each in given)):
            raise InputError(f"{path}: would overwrite a file that is read; name another")
        if written.count(path) > 1:
            raise InputError(f"{path}: named twice; two results need two files")
    for table in tables.values():
        if table is not None:
            frames.check_ending(table)
    if chart is not None and chart.suffix.lower() not in (".html", ".htm"):
        raise InputError(f"--chart {chart}: a chart is a page; let the name end in .html")


def _say_policies(table: "pd.DataFrame") -> None:
    """Print the table, and what it rests on."""
    from clamor.report.words import counted

    common.show_table([_policy(row) for row in table.to_dict("records")], title="95% intervals in brackets")
    first = table.iloc[0]
    common.say(
        f"{counted(first['events'], 'known incident')} in {first['months']:.2g} months of {first['series']} series; "
        "budgets are of false incidents a series-week, or as said; an incident that is not known counts as false"
    )
    if first["unwatched"]:
        left = counted(first["unwatched"], "known incident")
        common.say(f"left out: {left} without any judged bin of that service, place and time")


def _policy(row: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the cells of one policy for a table on a terminal."""
    return {
        "budget": row["budget"],
        "bins (min)": row["bin_minutes"],
        "found": f"{row['found']} of {row['events']}",
        "recall": _ranged(row, "recall", "{:.0%}".format),
        "precision": _ranged(row, "precision", "{:.0%}".format),
        "false alarms a month": _ranged(row, "false_alarms_per_month", _brief),
        "accepted": _brief(row["accepted_per_month"]),
        "delay, median (min)": _ranged(row, "delay_median_minutes", "{:.0f}".format),
        "delay, 90% (min)": _ranged(row, "delay_p90_minutes", "{:.0f}".format),
    }


def _brief(value: float) -> str:
    """Say a rate in two figures, but whole from ten on."""
    return f"{value:.2g}" if value < 10 else f"{value:,.0f}"


def _ranged(row: Mapping[Any, Any], name: str, say: Callable[[float], str]) -> str:
    import pandas as pd

    value, low, high = (row[name + end] for end in ("", "_low", "_high"))
    if pd.isna(value):
        return "not known"
    low, high = ("?" if pd.isna(end) else say(end) for end in (low, high))
    return f"{say(value)} ({low} to {high})"
