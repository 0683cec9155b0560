"""A headless Chromium that opens pages of this machine, driven over a pipe by the DevTools protocol.

https://chromedevtools.github.io/devtools-protocol/
"""

import json
import os
import shutil
import subprocess
import tempfile
from base64 import b64decode
from pathlib import Path
from typing import Any, Self

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--no-first-run",
    "--disable-extensions",
)


def chromium() -> str | None:
    """The program, if it is installed: that of ``CHROMIUM``, or on the path."""
    return os.environ.get("CHROMIUM") or next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One page. A context manager; at its end the browser is gone.

    Args:
        width, height: of the page, in pixels.
        mobile: a telephone, with touch.
    """

    def __init__(self, width: int = 1400, height: int = 1000, mobile: bool = False):
        self.size, self.mobile = (width, height), mobile
        self.errors: list[str] = []
        self._number, self._session, self._rest = 0, None, b""
        self._waiting: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        program = chromium()
        assert program is not None, "there is no Chromium"
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        read_commands, self._write = os.pipe()
        self._read, write_answers = os.pipe()
        here = os.dup(read_commands), os.dup(write_answers)
        command = [program, *FLAGS, f"--user-data-dir={self._profile.name}", "--remote-debugging-pipe", "about:blank"]
        shell = f'exec "$@" 3<&{here[0]} 4>&{here[1]}'
        self._process = subprocess.Popen(
            ["bash", "-c", shell, "chromium", *command],
            pass_fds=here,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for end in (read_commands, write_answers, *here):
            os.close(end)
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.send(f"{domain}.enable")
        width, height = self.size
        self.send(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=self.mobile
        )
        if self.mobile:
            self.send("Emulation.setTouchEmulationEnabled", enabled=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._write)
        os.close(self._read)
        self._profile.cleanup()

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Calls a method of the protocol and waits for its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        message |= {"sessionId": self._session} if self._session else {}
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']['message']}")
                return answer["result"]
            self._note(answer)

    def wait(self, event: str) -> dict[str, Any]:
        """The parameters of the next such event."""
        while True:
            message = self._waiting.pop(0) if self._waiting else self._receive()
            if message.get("method") == event:
                return message["params"]

    def open(self, path: Path) -> float:
        """Opens a file, and returns how many seconds went by until it was loaded and had drawn its first frame."""
        self._waiting = []
        self.send("Page.navigate", url=path.resolve().as_uri())
        self.wait("Page.loadEventFired")
        self.run("new Promise(done => requestAnimationFrame(() => setTimeout(done)))")
        return self.run("performance.now()") / 1000

    def run(self, script: str) -> Any:
        """The value of an expression of JavaScript; of a promise, what it becomes."""
        answer = self.send("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"])[:800])
        return answer["result"].get("value")

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        """``mousePressed``, ``mouseMoved``, ``mouseReleased`` or ``mouseWheel`` at a place of the page."""
        self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def picture(self, path: Path, whole: bool = False) -> None:
        """Saves a PNG of what is in sight, or of the whole page."""
        data = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=whole)["data"]
        path.write_bytes(b64decode(data))

    def downloads(self, folder: Path) -> None:
        """Saves downloads in a folder."""
        self.send("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(folder), eventsEnabled=True)

    def downloaded(self) -> None:
        """Waits for the end of a download."""
        while self.wait("Browser.downloadProgress")["state"] != "completed":
            pass

    def _note(self, message: dict[str, Any]) -> None:
        self._waiting.append(message)
        if message.get("method") == "Runtime.exceptionThrown":
            self.errors.append(json.dumps(message["params"]["exceptionDetails"])[:800])
        if message.get("method") == "Log.entryAdded" and message["params"]["entry"]["level"] == "error":
            self.errors.append(message["params"]["entry"]["text"])

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            part = os.read(self._read, 1 << 20)
            if not part:
                raise RuntimeError("Chromium has ended")
            self._rest += part
        message, _, self._rest = self._rest.partition(b"\0")
        return json.loads(message)
