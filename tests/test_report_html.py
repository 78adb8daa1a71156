"""The web page: its parts, and the whole of it in a real browser without network."""

import base64
import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from browser import CHROMIUM, use_page
from tiny_pipeline import METRICS, MODEL, TABLE, TRAINING, write, write_repository

from poseloop.report.html.cells import Provenance, page_table
from poseloop.report.html.comparison import compared_section
from poseloop.report.html.config import HtmlConfig
from poseloop.report.html.drawing import draw_graph
from poseloop.report.html.graph import rule_graph, rule_seconds
from poseloop.report.html.loops import sections
from poseloop.report.html.meshes import pack
from poseloop.report.html.page import inline, render, write_page
from poseloop.report.html.pictures import picture_url, views_strip
from poseloop.report.provenance.chain import Tracer
from poseloop.report.provenance.pipeline import read_pipeline
from poseloop.runtime.errors import UserError

ROOT = Path(__file__).resolve().parents[1]
TEMPLATES = ROOT / "workflow/report/html"


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A whole and recorded repository, in the working directory."""
    write_repository(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def picture(size: int = 8) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (size, size, 3), dtype=np.uint8)


def tiny_content() -> dict:
    """What the template takes, of the tiny repository in the working directory."""
    pipeline = read_pipeline()
    provenance = Provenance(Tracer(pipeline, "demo"))
    write(Path("captions/fig_bodies.rst"), "The body.\n")
    Path("fig_bodies.png").write_bytes(base64.b64decode(picture_url(picture()).partition(",")[2]))
    loops = sections([Path(TABLE)], [Path("fig_bodies.png")], Path("captions"), provenance)
    corners = np.array([[0, 0, 0], [0.4, 0, 0], [0, 0.4, 0], [0, 0, 0.4]])
    mesh = pack(corners, np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]]))
    names = ("base", "DrPose", "truth")
    strips = [{"name": name, "url": picture_url(picture())} for name in names]
    subject = {"benchmark": "mixamo", "error": 300.0, "views": "0°, 90°", "strips": strips}
    subject["input"] = picture_url(picture())
    return {
        "preset": "demo",
        "loops": loops,
        "compared": None,
        "numeric": ["mean", "relative_gain"],
        "subjects": [subject | {"subject": number} for number in (3, 1)],
        "meshes": [
            {"subject": number, "meshes": [mesh | {"name": name} for name in names]}
            for number in (3, 1)
        ],
        "mesh_benchmark": "mixamo",
        "graph": draw_graph(rule_graph(pipeline, {"drpose_table": 2.0})),
        "longest": 2.0,
        "provenance": provenance.as_dict(),
    }


def test_cells_of_a_page_share_chains_and_files(repository):
    provenance = Provenance(Tracer(read_pipeline(), "demo"))
    table = page_table(Path(TABLE), provenance)
    assert table["columns"][:4] == ["benchmark", "metric", "method", "mean"]
    assert table["rows"][1][3] == {"text": "10.0", "cell": "drpose_geometry:1:mean"}
    assert table["rows"][1][0]["cell"] is None
    number, sources = provenance.cells["drpose_geometry:1:mean"]
    assert sources == [[METRICS.format("drpose"), "benchmarks.mixamo.chamfer", 2, 10.0]]
    paths = {provenance.links[link]["path"] for link in provenance.chains[number]["links"]}
    assert {TABLE, MODEL} <= paths
    assert len(provenance.chains) == 3
    assert len({link["path"] for link in provenance.links}) == len(provenance.links)


def another_run(folder: Path) -> Path:
    """A recorded run with another value in both rows' means and in the config."""
    write_repository(folder)
    path = folder / TABLE
    path.write_text(path.read_text().replace("10.0", "8.0").replace("11.0", "3.0"))
    write(folder / TRAINING, "steps: 200\nvariants: {drpose: {seed: 3, rate: 0.1}}\n")
    return folder / "results/demo"


def test_another_run_has_a_section_with_its_cells_and_causes(repository):
    other = another_run(repository / "other")
    compared = compared_section([Path(TABLE)], other)
    assert (compared["a"], compared["b"]) == (str(other), "results/demo")
    assert compared["columns"][:2] == ["flips", "table"]
    means = [(row[4], *row[6:9]) for row in compared["rows"]]
    assert means == [("base", "3", "11", "+8"), ("DrPose", "8", "10", "+2")]
    assert compared["equal"] == 0
    [found] = compared["differences"]
    assert found == {"kind": "config", "name": "drpose.yaml: steps", "a": "200", "b": "300"}
    page = render(TEMPLATES / "index.html.j2", TEMPLATES / "viewer.js", tiny_content())
    assert 'id="compared"' not in page
    content = tiny_content() | {"compared": compared}
    page = render(TEMPLATES / "index.html.j2", TEMPLATES / "viewer.js", content)
    assert page.count('href="#compared"') == page.count('<section id="compared">') == 1
    assert "<td>drpose.yaml: steps</td><td>200</td><td>300</td>" in page


def test_another_run_that_is_not_there_is_named(repository):
    with pytest.raises(UserError, match="nowhere: folder of results not found"):
        compared_section([Path(TABLE)], Path("nowhere"))


def test_a_loop_without_tables_has_no_section(repository):
    content = tiny_content()
    assert [loop["name"] for loop in content["loops"]] == ["drpose"]
    assert content["loops"][0]["figures"][0]["caption"] == "The body."


def test_rules_have_their_level_time_and_size(repository):
    write(Path("times/evaluate/base/seed0.tsv"), "s\tmax_rss\n3.5\t1\n")
    write(Path("times/evaluate/drpose/seed0.tsv"), "s\tmax_rss\n4.5\t1\n")
    write(Path("times/drpose_table.tsv"), "s\tmax_rss\n1.0\t1\n")
    seconds = rule_seconds(Path("times"))
    assert seconds == {"evaluate": 8.0, "drpose_table": 1.0}
    nodes = {node.rule: node for node in rule_graph(read_pipeline(), seconds)}
    assert [nodes[r].level for r in ("render_scans", "finetune_drpose", "evaluate")] == [0, 1, 2]
    assert nodes["drpose_table"].above == {"evaluate", "evaluate_truth"}
    assert (nodes["evaluate"].jobs, nodes["render_scans"].seconds) == (2, None)
    assert nodes["render_scans"].size == len("scans")
    drawn = draw_graph(list(nodes.values()))
    assert len(drawn["edges"]) == sum(len(node.above) for node in nodes.values())
    assert max(box["bar"] for box in drawn["nodes"]) == 170


def test_a_strip_has_colours_above_normals():
    rgb, normal = np.zeros((3, 4, 4, 3), np.uint8), np.full((3, 4, 4, 3), 9, np.uint8)
    strip = views_strip(rgb, normal)
    assert strip.shape == (8, 12, 3)
    assert (strip[:4] == 0).all() and (strip[4:] == 9).all()


def test_a_script_cannot_end_its_element():
    assert "</script" not in inline("let a = '</script>';")


def test_a_page_that_is_too_large_is_refused(tmp_path):
    config = HtmlConfig(subjects=1, mesh_subjects=1, mesh_benchmark="a", max_megabytes=0.001)
    with pytest.raises(UserError, match=r"index.html: 0.0 MB, above max_megabytes 0.001; lower"):
        write_page(tmp_path / "index.html", "x" * 2000, config)
    assert not (tmp_path / "index.html").exists()


def bundle(monkeypatch, output: Path) -> int | None:
    arguments = ["--package", str(TEMPLATES / "package.json"), "--output", str(output)]
    monkeypatch.setattr(sys, "argv", ["bundle_viewer.py", *arguments])
    with pytest.raises(SystemExit) as stop:
        runpy.run_path(str(ROOT / "scripts/bundle_viewer.py"), run_name="__main__")
        raise SystemExit
    return stop.value.code


def test_without_npm_the_viewer_says_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert bundle(monkeypatch, tmp_path / "viewer.js") == 2
    assert capsys.readouterr().err.startswith("error: npm not found: the report's mesh viewer")


# What a reader does, in the page; answers are checked below.
USE = """
const wait = (ms) => new Promise((done) => setTimeout(done, ms));
const press = (element, key) =>
  element.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
await wait(300);
const answer = {};
const canvas = document.getElementById("meshes");
answer.names = document.getElementById("mesh-names").textContent;
answer.before = canvas.dataset.azimuth;
press(canvas, "ArrowRight");
answer.after = canvas.dataset.azimuth;
const picture = document.createElement("canvas");
Object.assign(picture, { width: canvas.width, height: canvas.height });
press(canvas, "ArrowRight");
picture.getContext("2d").drawImage(canvas, 0, 0);
const pixels = picture.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
answer.colours = new Set(new Uint32Array(pixels.buffer)).size;

document.querySelector("button[data-name='mixamo chamfer DrPose mean']").click();
const dialog = document.getElementById("chain");
answer.open = dialog.open;
answer.chain = dialog.textContent;
const check = async () =>
  (await axe.run(document, { resultTypes: ["violations"] })).violations.map(
    ({ id, nodes }) => `${id}: ${nodes[0].html}`,
  );
answer.dialogViolations = await check();
dialog.close();
answer.violations = await check();

const head = [...document.querySelectorAll("th button")].find((b) => b.textContent === "mean");
const rows = head.closest("table").tBodies[0].rows;
const means = () => [...rows].map((row) => row.cells[3].textContent.trim());
head.click();
answer.up = means();
head.click();
answer.down = means();
answer.sort = head.closest("th").getAttribute("aria-sort");

const changes = [...document.querySelectorAll("#compared th button")].find(
  (b) => b.textContent === "change",
);
changes.click();
const compared = changes.closest("table").tBodies[0].rows;
answer.changes = [...compared].map((row) => row.cells[8].textContent);

const shown = () => document.querySelector(".subject:not([hidden]) h3").textContent;
answer.first = shown();
document.getElementById("next").click();
answer.second = shown();
answer.width = innerWidth;
answer.overflow = document.documentElement.scrollWidth - innerWidth;
answer.outside = performance.getEntriesByType("resource").map((entry) => entry.name)
  .filter((name) => !name.startsWith("data:"));
answer.images = [...document.images].filter((image) => !image.naturalWidth).length;
answer.faults = faults;
return answer;
"""


@pytest.fixture(scope="module")
def tools(tmp_path_factory) -> Path:
    """A folder with the bundled viewer and axe, from the registry by the lock file."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium (Debian: apt install chromium)")
    if shutil.which("npm") is None:
        pytest.skip("needs npm (Debian: apt install npm)")
    folder = tmp_path_factory.mktemp("tools")
    for name in ("package.json", "package-lock.json", "viewer.js"):
        shutil.copy(TEMPLATES / name, folder)
    install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    if subprocess.run(install, cwd=folder, capture_output=True).returncode:
        pytest.skip("needs a registry of npm")
    esbuild = ["node_modules/.bin/esbuild", "viewer.js", "--bundle", "--minify", "--format=esm"]
    subprocess.run([*esbuild, "--outfile=bundled.js"], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_in_a_browser(repository, tools, width):
    content = tiny_content()
    content["compared"] = compared_section([Path(TABLE)], another_run(repository / "other"))
    page = render(TEMPLATES / "index.html.j2", tools / "bundled.js", content)
    axe = inline((tools / "node_modules/axe-core/axe.min.js").read_text())
    page = page.replace("</body>", f"<script>{axe}</script></body>", 1)
    browser = repository / "browser"
    browser.mkdir()
    answer = use_page(browser, page, USE, width)
    assert "failed" not in answer, answer
    assert answer["faults"] == [] and answer["outside"] == [] and answer["images"] == 0
    assert answer["names"] == "From left to right: base, DrPose, truth."
    assert (answer["before"], answer["after"]) == ("0.000", "0.131")
    assert answer["colours"] > 3
    assert answer["open"]
    head = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True
    ).stdout.strip()
    for fact in ("= 10.0", METRICS.format("drpose"), MODEL, "dvc repro --single-item", head):
        assert fact in answer["chain"]
    assert answer["violations"] == [] and answer["dialogViolations"] == []
    assert (answer["up"], answer["down"]) == (["10.0", "11.0"], ["11.0", "10.0"])
    assert answer["sort"] == "descending"
    assert answer["changes"] == ["+2", "+8"]
    assert "subject 3" in answer["first"] and "subject 1" in answer["second"]
    assert answer["width"] == width and answer["overflow"] <= 0


def test_the_template_names_no_address_outside():
    for path in TEMPLATES.glob("*.*"):
        if path.name != "package-lock.json":
            assert not re.search(r"https?://", path.read_text()), path
