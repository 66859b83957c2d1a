"""Start everything Kennel needs, say where it is, and end all of it again.

    python -m dashboard [--port 8501] [--address 127.0.0.1]

The embedded AWS and the web server start side by side. Both are children on a leash: they end with this process, on
Ctrl-C, on SIGTERM and on kill -9.
"""

import json
import os
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType

from dashboard import embedded, sample_account
from dashboard.child import Child, environment, log_file
from dashboard.core.errors import KennelError, NotFound, ServiceFault
from dashboard.core.exposure import EVERYWHERE, LOOPBACK, PUBLIC, SHARE, Share, is_loopback
from dashboard.core.home import REPOSITORY
from dashboard.core.home import home as home_of
from dashboard.core.sign_in import SignIn, secrets_file
from dashboard.embedded import Embedded
from dashboard.preflight import check_disk, check_home, check_people, check_port, read_address, read_port
from dashboard.sample_account import Filling

HEALTHY_SECONDS = 60.0
ACCOUNT_SECONDS = 5.0
RESTARTS, RESTART_SECONDS = 3, 60.0
"""An embedded AWS that ended more often than this within this time is not started again."""


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Run Kennel until it is told to stop. Returns the exit code; what is wrong is said on stderr."""
    try:
        port, listen = read_port(arguments, environ), read_address(arguments, environ)
        people, share = check_people(listen, environ)
        home = home_of(environ)
        check_home(home)
        check_disk(home)
        check_port(port, listen)
    except KennelError as error:
        return _say(error)
    launcher = Launcher(home, port, environ, listen=listen, people=people, share=share)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, launcher.on_signal)
    try:
        launcher.run()
    except KennelError as error:
        return 0 if launcher.is_stopping else _say(error)
    finally:
        launcher.stop()
    return 0


class Launcher:
    """The children of one Kennel, from start to end."""

    def __init__(
        self,
        home: Path,
        port: int,
        environ: Mapping[str, str],
        clock: Callable[[], float] = time.monotonic,
        *,
        listen: str = LOOPBACK,
        people: SignIn | None = None,
        share: Share | None = None,
    ) -> None:
        self.home = home
        self.address = f"http://{_reached(listen)}:{port}"
        self._port = port
        self._listen = listen
        self._people = people
        self._share = share
        self._environ = environ
        self._clock = clock
        self._profile = environ.get("KENNEL_AWS_PROFILE", "")
        self._stopping = threading.Event()
        self._aws: Embedded | None = None
        self._aws_ends: list[float] = []
        self._server: Child | None = None
        self._sample: Filling | None = None

    @property
    def is_stopping(self) -> bool:
        return self._stopping.is_set()

    def run(self) -> None:
        """Start everything and return when told to stop. Raises KennelError when something ends by itself."""
        try:
            if not self._profile:
                self._start_aws()
            self._server = self._start_server()
        except OSError as error:
            raise ServiceFault("Kennel cannot start its processes", str(error), "") from error
        if self._aws:
            self._aws.wait()
            self._sample = sample_account.fill(self.home, self._environ)
        reason = self._wait_healthy()
        if self._stopping.is_set():
            return
        _tell(self._banner(reason))
        self._watch()

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """The first signal stops in order, a second one at once."""
        if self._stopping.is_set():
            for child in self._children():
                child.kill()
        self._stopping.set()

    def stop(self) -> None:
        """End everything that was started: the web server first, because it uses the others."""
        children = self._children()
        for child in children:
            child.ask_to_stop()
        if self._sample:
            self._sample.stop()
        for child in children:
            child.stop()

    def _children(self) -> list[Child]:
        aws = self._aws.child if self._aws else None
        sample = self._sample.child if self._sample else None
        return [child for child in (self._server, sample, aws) if child]

    def _start_aws(self) -> None:
        self._aws = embedded.start(self.home, self._environ)

    def _start_server(self) -> Child:
        command = [sys.executable, "-m", "streamlit", "run", str(REPOSITORY / "dashboard" / "asgi.py")]
        command += [f"--server.address={self._listen}", f"--server.port={self._port}", "--server.headless=true"]
        ours = {"KENNEL_HOME": str(self.home)}
        if not self._profile:  # else the server starts the embedded AWS itself, once somebody chooses it in the page
            ours[embedded.OURS] = "launcher"
        passed_on = environment(self._environ, profile=True, **ours)
        return Child(command, environ=passed_on, log=log_file(self.home, "dashboard"))

    def _wait_healthy(self) -> str:
        """Wait for the web server. Returns "" when its account answers too, else why not (it says so on its pages)."""
        deadline = self._clock() + HEALTHY_SECONDS
        while not self._stopping.wait(0.05):
            self._check_server()
            if _get(f"{self.address}/_stcore/health") is not None:
                break
            if self._clock() > deadline:
                raise self._server_failed(f"it was not healthy within {HEALTHY_SECONDS:.0f} s")
        deadline = self._clock() + ACCOUNT_SECONDS
        reason = ""
        while not self._stopping.is_set():
            self._check_server()
            told = _get(f"{self.address}/healthz") or {}
            if told.get("ready"):
                return ""
            reason = str(told.get("reason", ""))
            if self._clock() > deadline:
                break
            self._stopping.wait(0.05)
        return reason

    def _watch(self) -> None:
        while not self._stopping.wait(0.5):
            self._check_server()
            self._check_sample()
            if self._aws and self._aws.child and self._aws.child.code is not None:
                self._restart_aws(self._aws.child)
            if self._aws and not self._aws.child and not embedded.is_answering(self._aws.address):
                self._take_over_aws()

    def _check_server(self) -> None:
        if self._server and self._server.code is not None and not self._stopping.is_set():
            raise self._server_failed(f"it ended with code {self._server.code}")

    def _check_sample(self) -> None:
        if self._sample is None or not self._sample.is_over:
            return
        if self._sample.has_failed:
            _tell(f"The sample account is not complete; the next start goes on with it. Its log: {self._sample.log}")
        self._sample = None

    def _restart_aws(self, ended: Child) -> None:
        """What it acknowledged is on disk, so it is simply started again; but not one that falls over each time."""
        code, said, now = ended.code, ended.said(), self._clock()
        self._aws_ends = [*(end for end in self._aws_ends if now - end < RESTART_SECONDS), now]
        if len(self._aws_ends) > RESTARTS:
            raise ServiceFault(
                "the embedded AWS keeps ending",
                f"code {code}; its last lines:\n{said}\n" if said else f"code {code}",
                f"its whole log is {ended.log}",
            )
        _tell(f"The embedded AWS ended with code {code}; starting it again.")
        ended.kill()
        self._start_aws()
        if self._aws:
            self._aws.wait()

    def _take_over_aws(self) -> None:
        """It was another Kennel's, which has ended. Should it only have been slow, ours finds its folder taken."""
        self._start_aws()
        if self._aws:
            self._aws.wait()
            if self._aws.child:
                _tell("The Kennel that ran the embedded AWS has ended; this one runs it now.")
                self._sample = self._sample or sample_account.fill(self.home, self._environ)

    def _server_failed(self, why: str) -> ServiceFault:
        said = self._server.said() if self._server else ""
        log = self._server.log if self._server else ""
        return ServiceFault(
            "the dashboard's server did not keep running",
            f"{why}; its last lines:\n{said}\n" if said else why,
            f"its whole log is {log}",
        )

    def _banner(self, reason: str) -> str:
        if self._aws:
            account = f"embedded AWS at {self._aws.address}: nothing is charged"
        else:
            account = f"real AWS profile {self._profile}, read-only until a page allows changes"
        state = "Kennel is running."
        if reason:
            state = f"Kennel cannot use its AWS account: {reason.rstrip('.')}.\nIts pages say so until that is mended."
        lines = ["", *state.splitlines(), "", f"  Open     {self.address}", f"  Account  {account}"]
        lines += [f"  State    {self.home}, logs in {self.home / 'logs'}", "  Stop     Ctrl-C", ""]
        if said := self._who_may():
            lines.insert(-1, f"  People   {said}")
        if said := self._lacking_accounts():
            lines.insert(-1, f"  Accounts {said}")
        if self._sample and not self._sample.is_over:
            has_one = (self.home / "aws" / sample_account.DONE).exists()
            what = "gets what it did not have yet" if has_one else "is being filled: Classify answers in a moment"
            lines.insert(-1, f"  First    the sample account {what}")
        return "\n".join(lines)

    def _who_may(self) -> str:
        """Who may come in; "" for whoever sits at this machine."""
        if self._share:
            named = f", {self._share.endpoint} answers" if self._share.endpoint else ""
            lacks = f"\n           but {said}" if (said := self._lacking_endpoint()) else ""
            return f"everybody, without sign-in: Classify alone{named}{lacks}"
        if self._people:
            file = secrets_file(self._environ)
            is_read = file.stat().st_mode & 0o077
            warning = f"\n           but other users of this machine may read its secrets: chmod 600 {file}"
            return f"sign in at {self._people.origin}" + (warning if is_read else "")
        if is_loopback(self._listen) and not self._environ.get(PUBLIC):
            return ""
        return "EVERYBODY who reaches it may read and change everything: nobody signs in"

    def _lacking_endpoint(self) -> str:
        """What to say where the one endpoint that is shared is not there; "" otherwise, or where AWS does not say."""
        if not (self._share and self._share.endpoint):
            return ""
        from dashboard.core.aws import connect  # boto3, for this one question alone

        name = self._share.endpoint
        try:
            aws = connect({**self._environ, "KENNEL_HOME": str(self.home)})
            aws.call("sagemaker", "DescribeEndpoint", EndpointName=name)
        except NotFound:
            return f"there is no endpoint {name}: nobody gets an answer until there is ({SHARE})"
        except KennelError as error:
            return f"whether there is an endpoint {name} could not be looked at: {error.what}"
        return ""

    def _lacking_accounts(self) -> str:
        """What to say of names in KENNEL_ACCOUNTS that no profile has; "" for none."""
        if not self._environ.get("KENNEL_ACCOUNTS"):
            return ""
        from dashboard.core.accounts.profiles import unknown  # boto3, for this one question alone

        try:
            names = unknown(self._environ)
        except KennelError as error:
            return str(error)
        return f"KENNEL_ACCOUNTS names what no AWS profile is called: {', '.join(names)}" if names else ""


def _reached(listen: str) -> str:
    """The host by which this machine reaches what listens there."""
    if listen in (EVERYWHERE, "::"):
        return LOOPBACK
    return f"[{listen}]" if ":" in listen else listen


def _get(url: str) -> dict[str, object] | None:
    """The JSON object at an address of this machine, {} for another body, None when nothing answers."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=5) as answer:
            body = answer.read()
    except urllib.error.HTTPError as error:
        with error:
            body = error.read()
    except OSError:
        return None
    try:
        told = json.loads(body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _tell(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _say(error: KennelError) -> int:
    sys.stderr.write(f"\nKennel: {error}\n\n")
    return 1
