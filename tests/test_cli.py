"""The command line as a user meets it: results on stdout, messages on stderr, one line for each mistake, exit codes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from clamor import schema
from clamor.cli import common
from clamor.store import Lake
from command import clamor

POSTS = "id,created_at,text\n" + "".join(f"{i},2024-09-{1 + i // 3:02d}T10:00:00Z,tiktok is down\n" for i in range(60))


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test has a folder and an environment of its own."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("CLAMOR_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def posts() -> Path:
    path = Path("posts.csv")
    path.write_text(POSTS)
    return path


@pytest.fixture
def counts() -> Path:
    """One series of ten days of quarter hours with an outage on the ninth."""
    times = pd.date_range("2026-09-01", periods=960, freq="15min", tz="UTC")
    values = np.random.default_rng(1).poisson(4, 960)
    values[800:806] = 90
    path = Path("counts.csv")
    pd.DataFrame({"service": "acme", "region": "here", "bin_start": times, "count": values}).to_csv(path, index=False)
    return path


def test_import_detect_incidents_status_and_report_follow_each_other(
    posts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The way of the README on a small archive; each step names the next."""
    code, out, err = clamor(capsys, "import", posts)
    assert (code, out) == (0, "") and "60 posts counted" in err and "clamor detect" in err
    code, out, err = clamor(capsys, "detect", "--bin", "1d")
    assert (code, out) == (0, "") and "clamor incidents" in err
    code, out, err = clamor(capsys, "status", "--json")
    assert code == 0 and [row["state"] for row in json.loads(out)] == ["unknown"]
    code, out, err = clamor(capsys, "incidents")
    assert code == 0 and "no incidents known" in out and err == ""
    code, out, err = clamor(capsys, "report", "--bin", "1d", "--out", "new/page.html")
    assert code == 0 and out == "" and Path("new/page.html").read_text().lstrip().lower().startswith("<!doctype html")


def test_importing_again_changes_nothing(posts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The second import of a file stores no row."""
    clamor(capsys, "import", posts)
    code, out, _ = clamor(capsys, "import", posts, "--json")
    assert code == 0 and json.loads(out)[0]["rows_stored"] == 0


def test_rejected_rows_are_counted_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is dropped in silence."""
    Path("bad.csv").write_text(POSTS + "x,yesterday,tiktok down\ny,2024-09-01T10:00:00Z\n")
    code, _, err = clamor(capsys, "import", "bad.csv")
    assert code == 0 and "2 rejected" in err and "unreadable time: 1" in err and "line 62" in err


def test_counts_of_others_become_verdicts(counts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One row a bin from --eval-start on, with the documented columns; the outage is flagged."""
    code, out, err = clamor(
        capsys, "detect", "--counts", counts, "--out", "v.csv", "--eval-start", "2026-09-08", "--json"
    )
    verdicts = pd.read_csv("v.csv")
    assert code == 0 and list(verdicts.columns) == list(schema.VERDICT_COLUMNS) and len(verdicts) == 288
    assert verdicts.loc[verdicts["flag"], "bin_start"].min() <= "2026-09-09T08:30:00Z"
    assert (verdicts["flag"] == (verdicts["state"] == "outage")).all()
    assert json.loads(out)[0]["bins"] == 288 and "v.csv" in err


def test_zeros_left_out_are_asked_for(counts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever gives only the bins with complaints is told that the others are unknown; nobody else is."""
    given = pd.read_csv(counts)
    given["count"] = np.where(given["count"] > 5, given["count"], 0)
    given.to_csv("whole.csv", index=False)
    given.loc[given["count"] > 0].to_csv("bare.csv", index=False)
    for name, asked in (("whole", False), ("bare", True)):
        code, _, err = clamor(capsys, "detect", "--counts", f"{name}.csv", "--out", "v.csv")
        assert code == 0 and ("give them as rows with a count of 0" in err) is asked


def test_columns_that_are_not_read_are_named(counts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A clock under another heading would be UTC in silence."""
    Path("regions.csv").write_text("region,tz\nhere,Asia/Tokyo\n")
    code, _, err = clamor(capsys, "detect", "--counts", counts, "--regions", "regions.csv", "--out", "v.csv")
    assert code == 0 and "regions.csv: not used: tz; what is read has the headings region, parent, timezone" in err
    assert "counts.csv: not used" not in err


def test_known_codes_bring_their_places_and_clocks(counts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As a regions file of these would; one name that is no code, and the file's regions are names alone."""
    given = pd.read_csv(counts)
    two = pd.concat([given.assign(region=region) for region in ("US-CA", "NA")])
    Path("regions.csv").write_text(
        "region,parent,timezone\nUS-CA,US,America/Los_Angeles\nUS,019,\n019,001,\nNA,002,Africa/Windhoek\n002,001,\n"
    )
    Path("flat.csv").write_text("region\nUS-CA\nhere\n")
    two.to_csv("codes.csv", index=False)
    two.replace({"region": {"NA": "here"}}).to_csv("names.csv", index=False)
    for name, file, told in (("codes", "regions", True), ("names", "flat", False)):
        code, _, err = clamor(capsys, "detect", "--counts", f"{name}.csv", "--out", "own.csv")
        assert code == 0 and ("known codes" in err) is told
        clamor(capsys, "detect", "--counts", f"{name}.csv", "--regions", f"{file}.csv", "--out", "said.csv")
        assert Path("own.csv").read_bytes() == Path("said.csv").read_bytes()


def test_a_backtest_says_what_each_budget_would_have_found(counts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A known incident is found; the table goes to a file and to stdout."""
    Path("known.csv").write_text("service,region,start_at,end_at\nacme,here,2026-09-09T08:00Z,2026-09-09T09:30Z\n")
    words = ("backtest", "--counts", counts, "--labels", "known.csv", "--budget", "0.1", "--out", "t.parquet", "--json")
    code, out, _ = clamor(capsys, *words)
    assert code == 0 and json.loads(out)[0]["found"] == 1 and len(pd.read_parquet("t.parquet")) == 1


def test_a_backtest_blames_the_services_that_others_need(counts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Another fails with a named provider: one incident of a shared cause. One that is not there is refused."""
    given = pd.read_csv(counts)
    pd.concat([given.assign(service=name) for name in ("isp", "shop")]).to_csv("two.csv", index=False)
    Path("known.csv").write_text("service,region,start_at,end_at\nisp,here,2026-09-09T08:00Z,2026-09-09T09:30Z\n")
    words = ("backtest", "--counts", "two.csv", "--labels", "known.csv", "--budget", "0.1", "--json")
    told = [json.loads(clamor(capsys, *words, *more)[1])[0] for more in ((), ("--provider", "isp"))]
    assert [(row["incidents"], row["false_alarms"]) for row in told] == [(2, 1), (1, 0)]
    code, _, err = clamor(capsys, *words, "--provider", "power")
    assert code == 1 and "no service of the history; it has isp, shop" in err


def test_posts_become_readings_and_a_text_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """`read` and `catalog explain` agree; unmatched posts are counted."""
    Path("in.csv").write_text("id,text,user_location\n1,tiktok is down,Detroit\n2,nice day,\n")
    code, _, err = clamor(capsys, "read", "in.csv", "--out", "out.jsonl")
    row = json.loads(Path("out.jsonl").read_text())
    assert code == 0 and (row["service"], row["signal"]) == ("tiktok", "complaint") and "1 name no known" in err
    code, out, _ = clamor(capsys, "catalog", "explain", "tiktok is down", "--json")
    assert code == 0 and json.loads(out)[0]["signal"] == "complaint"


def test_without_credentials_run_says_which_and_where_and_what_needs_none(capsys: pytest.CaptureFixture[str]) -> None:
    """The four settings, where each comes from, and the two commands that need none."""
    code, out, err = clamor(capsys, "run")
    assert (code, out) == (1, "")
    for word in ("X__BEARER_TOKEN", "REDDIT__CLIENT_ID", "REDDIT__CLIENT_SECRET", "REDDIT__USER_AGENT"):
        assert f"CLAMOR_{word}" in err
    assert "developer.x.com" in err and "reddit.com/prefs/apps" in err
    assert "`clamor demo`" in err and "`clamor import`" in err
    code, _, err = clamor(capsys, "backfill", "--since", "2026-10-01")
    assert code == 1 and "CLAMOR_X__BEARER_TOKEN" in err and "CLAMOR_REDDIT" not in err


def test_a_plan_over_a_cap_is_refused_before_anything_is_asked(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All services every 15 minutes pass the default cap: the refusal names what fits, and no lake appears."""
    monkeypatch.setenv("CLAMOR_X__BEARER_TOKEN", "t")
    monkeypatch.setenv("CLAMOR_X__API_URL", "http://127.0.0.1:1")
    code, _, err = clamor(capsys, "run")
    assert code == 1 and "a day" in err and "cap of $" in err and not Path("data").exists()
    code, _, err = clamor(capsys, "backfill", "--since", "2024-01-01")
    assert code == 1 and "pass what the caps leave, $25.00" in err and not Path("data").exists()
    assert "polling, for comparison: X: at most" in err and "name fewer services" in err
    code, out, _ = clamor(capsys, "budget", "--service", "tiktok", "--json")
    assert code == 0 and json.loads(out)[0]["day_usd"] == 0 and json.loads(out)[0]["plan"]["problem"] is None


def test_nothing_known_is_never_calm(capsys: pytest.CaptureFixture[str]) -> None:
    """An empty lake says that nothing is known, and a monitor that asks with --fail-on-incident gets 1."""
    for command in ("incidents", "status"):
        code, out, _ = clamor(capsys, command, "--lake", "nowhere")
        assert code == 0 and "nothing is known" in out
        code, _, err = clamor(capsys, command, "--lake", "nowhere", "--fail-on-incident")
        assert code == 1 and "nothing is known" in err
    assert not Path("nowhere").exists()


def test_an_open_incident_exits_with_3_if_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    """Without the option the code is 0; the table says what is open."""
    now = pd.Timestamp.now("UTC").floor("min").as_unit("us")
    row = dict.fromkeys(schema.INCIDENTS.columns.names)
    row |= {field.name: now for field in schema.INCIDENTS.columns if field.type == schema.TIME}
    row |= {field.name: [] for field in schema.INCIDENTS.columns if str(field.type).startswith("list")}
    row |= {
        "incident_id": "tiktok-1", "service": "tiktok", "services": ["tiktok"], "regions": ["001"], "scope": "global",
        "status": "ongoing", "severity": "major", "probability": 0.9, "excess_source": "x", "uneven": False,
        "recovered_at": None, "bin_minutes": 15, "parameters": "{}", "catalog_version": "c",
    }  # fmt: skip
    frame = schema.to_pandas(pa.Table.from_pylist([row], schema=schema.INCIDENTS.columns))
    Lake("data/lake").write_incidents(frame, computed_at=now)
    assert clamor(capsys, "incidents", "--open")[0] == 0
    code, out, _ = clamor(capsys, "incidents", "--open", "--fail-on-incident")
    assert code == 3 and "TikTok" in out and "As decided at" in out


@pytest.mark.parametrize(
    "words",
    [
        ("import", "none.csv"),
        ("import", "."),
        ("import", "posts.csv", "--service", "tiktk"),
        ("import", "posts.csv", "--region", "XX"),
        ("import", "posts.csv", "--covered", "2026-09-10/2026-09-01"),
        ("import", "posts.csv", "--covered", "0001-01-01/9999-01-01"),
        ("import", "posts.csv", "--column", "text"),
        ("import", "posts.csv", "--source", "../../x"),
        ("import", "posts.csv", "--source", "all"),
        ("import", "posts.csv", "--encoding", "utf-16"),
        ("import", "posts.csv", "--lake", "posts.csv"),
        ("import-counts", "posts.csv"),
        ("import-marks", "posts.csv"),
        ("detect", "--counts", "counts.csv"),
        ("detect", "--counts", "counts.csv", "--out", "counts.csv"),
        ("detect", "--counts", "counts.csv", "--out", "v.xlsx"),
        ("detect", "--counts", "counts.csv", "--out", "v.csv", "--bin", "7min"),
        ("detect", "--counts", "counts.csv", "--out", "v.csv", "--bin", "1h"),
        ("detect", "--counts", "counts.csv", "--out", "v.csv", "--eval-start", "2036-01-01"),
        ("detect", "--counts", "counts.csv", "--out", "v.csv", "--eval-start", "2026-09-08T10:00"),
        ("detect", "--regions", "counts.csv"),
        ("detect",),
        ("report",),
        ("status", "--lake", "~nobody-here/x"),
        ("incidents", "--service", "nope"),
        ("backtest", "--counts", "counts.csv", "--labels", "counts.csv"),
        ("read", "posts.csv", "--out", "posts.csv"),
        ("run", "--config", "none.toml"),
    ],
    ids=" ".join,
)
def test_a_mistake_is_one_line_and_1(
    words: tuple[str, ...], posts: Path, counts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Value, rule, next step; no traceback, nothing on stdout, nothing stored."""
    code, out, err = clamor(capsys, *words)
    assert (code, out) == (1, "") and err.startswith("clamor: ") and err.count("\n") == 1 and len(err) > 30
    assert posts.read_text() == POSTS and not list(Path().rglob("*.parquet"))


@pytest.mark.parametrize("words", [("nope",), ("detect", "--budget", "0"), ("import",), ("status", "--bogus")])
def test_what_is_not_understood_exits_with_2(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """The shell's convention."""
    code, out, err = clamor(capsys, *words)
    assert (code, out) == (2, "") and "Error" in err


def test_a_damaged_lake_is_named_and_left_alone(posts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A broken file is one line with its path; nothing else of the lake is touched."""
    clamor(capsys, "import", posts)
    broken = next(Path("data/lake/volumes").rglob("*.parquet"))
    broken.write_bytes(b"garbage")
    before = sorted(Path("data/lake").rglob("*"))
    code, _, err = clamor(capsys, "detect", "--bin", "1d")
    assert code == 1 and broken.name in err and "move the broken file away" in err
    assert sorted(Path("data/lake").rglob("*")) == before


def shell(*words: str, **kwargs: object) -> "subprocess.Popen[str]":
    code = "import sys; from clamor.cli import main; sys.argv[0] = 'clamor'; main()"
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True} | kwargs
    return subprocess.Popen([sys.executable, "-c", code, *words], **pipes)  # type: ignore[call-overload,no-any-return]


def test_a_pipe_sees_no_colours_and_no_bars(posts: Path) -> None:
    """Without a terminal there is neither escape nor progress."""
    process = shell("catalog", "services", env={**os.environ, "NO_COLOR": "1"})
    out, err = process.communicate()
    assert process.returncode == 0 and "tiktok" in out and "\x1b" not in out + err


def test_a_pipe_gets_a_line_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    """However long a row is, so that an id can be found and copied whole."""
    common.show_table([{"regions": " ".join(["US-CA"] * 40), "id": "electric-power-20200503T0000Z"}])
    assert sum("US-CA" in line and "20200503T0000Z" in line for line in capsys.readouterr().out.splitlines()) == 1


def test_a_full_disk_at_stdout_is_one_line() -> None:
    """Results that cannot be written are a failure, not a traceback."""
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Path("/dev/full").open("w") as full:
        process = shell("catalog", "services", "--json", stdout=full)
        _, err = process.communicate()
    assert process.returncode == 1 and "Traceback" not in err


def test_an_interrupt_is_one_line_and_130(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever was proven is stored by then; a rerun goes on."""
    monkeypatch.setenv("CLAMOR_X__BEARER_TOKEN", "t")

    def stopped(*args: object, **kwargs: object) -> None:
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr("clamor.run.live.once", stopped)
    code, out, err = clamor(capsys, "run", "--service", "tiktok")
    assert (code, out) == (130, "") and err.splitlines()[-1].startswith("clamor: interrupted")


@pytest.mark.slow
def test_emulate_prints_settings_and_ends_when_told() -> None:
    """The first lines can be pasted into a shell; a request to terminate is no error."""
    process = shell("emulate")
    assert process.stdout is not None
    assert process.stdout.readline().startswith("export CLAMOR_")
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 0 and "Traceback" not in err


@pytest.mark.slow
def test_help_is_quick() -> None:
    """The best of five is under 0.3 s."""
    taken = []
    for _ in range(5):
        begun = time.perf_counter()
        assert "Commands" in shell("--help").communicate()[0]
        taken.append(time.perf_counter() - begun)
    assert min(taken) < 0.3
