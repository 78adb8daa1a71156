"""A page opened in Chromium without network, looked at and used by a script inside it."""

import base64
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

# In the page's head, before all else: whatever goes wrong is kept.
LISTEN = """
<script>
window.faults = [];
addEventListener("error", (event) => faults.push(event.message || "a resource failed"), true);
addEventListener("unhandledrejection", (event) => faults.push(String(event.reason)));
addEventListener("securitypolicyviolation", (event) => faults.push(event.blockedURI));
const told = console.error;
console.error = (...words) => { faults.push(words.join(" ")); told(...words); };
</script>
"""

# The page in a frame of a phone's or a desk's width; its answer becomes the frame's sibling.
HARNESS = """<!doctype html>
<title>harness</title>
<iframe src="page.html" width="{width}" height="844"></iframe>
<script>
addEventListener("message", (event) => {{
  const answer = document.createElement("script");
  answer.type = "application/json";
  answer.id = "answer";
  answer.textContent = btoa(unescape(encodeURIComponent(event.data)));
  document.body.append(answer);
}});
</script>
"""


def use_page(folder: Path, page: str, script: str, width: int, seconds: int = 300) -> dict:
    """Open a page at a width, run a module script in it and return what it sends.

    Parameters
    ----------
    folder : Path
        For the files of the test.
    script : str
        Body of an async function that returns a JSON value. It may read `faults`.
    width : int
        CSS pixels.
    """
    body = f"<script type='module'>\nconst act = async () => {{ {script} }};\n"
    body += "const value = await act().catch((fault) => ({ failed: String(fault) }));\n"
    body += "parent.postMessage(JSON.stringify(value), '*');\n</script>"
    tested = page.replace("<head>", f"<head>{LISTEN}", 1).replace("</body>", f"{body}</body>", 1)
    (folder / "page.html").write_text(tested)
    harness = folder / "harness.html"
    harness.write_text(HARNESS.format(width=width))
    done = subprocess.run(
        [
            CHROMIUM,
            "--headless=new",
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
            "--disable-dev-shm-usage",
            "--use-angle=swiftshader",
            "--enable-unsafe-swiftshader",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            f"--user-data-dir={folder / 'profile'}",
            f"--window-size={width + 100},1000",
            "--virtual-time-budget=60000",
            "--dump-dom",
            harness.resolve().as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=seconds,
    )
    found = re.search(r'id="answer">([^<]*)<', done.stdout)
    assert found, f"the page gave no answer\n{done.stdout[-500:]}\n{done.stderr[-2000:]}"
    return json.loads(base64.b64decode(found[1]))
