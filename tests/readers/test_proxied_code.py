"""What code does that depends on the proxy before it."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditlib.readers import proxied_code
from auditlib.source import Source

CASES = {
    "a limit of slowapi": ("a.py", "from slowapi.util import get_remote_address\n", [("limit", "slowapi", "")]),
    "an address that is only written down": ("a.py", "log(request.client.host)\n", []),
    "a comment": ("a.py", "# from slowapi.util import get_remote_address\n", []),
    "a test": ("tests/test_a.py", "from slowapi.util import get_remote_address\n", []),
    "a socket with its route": ("a.py", '@app.websocket("/ws/{id}")\n', [("socket", "FastAPI", "/ws/{id}")]),
    "Socket.IO": ("a.ts", "import { Server } from 'socket.io';\nconst io = new Server(http);\n",
                  [("socket", "Socket.IO", "")]),
    "another server": ("a.ts", "const io = new Server(http); // socket.io is not used\n", []),
    "SignalR": ("a.cs", 'app.MapHub<ChatHub>("/chat");\n', [("socket", "SignalR", "/chat")]),
    "events": ("a.go", 'w.Header().Set("Content-Type", "text/event-stream")\n', [("stream", "go", "")]),
    "events that tell nginx": ("a.go", 'w.Header().Set("Content-Type", "text/event-stream")\n// X-Accel-Buffering\n'
                               'h.Set("X-Accel-Buffering", "no")\n', []),
    "a client of events": ("a.py", 'get(url, headers={"Accept": "text/event-stream"})\n', []),
    "a cookie": ("a.ts", "res.cookie('a', b, { httpOnly: true, secure: true });\n", [("cookie", "js", "true")]),
    "Spring that is told": ("src/main/resources/application.yml", "server:\n  forward-headers-strategy: native\n",
                            [("trust", "java", "")]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_traits(name, tmp_path):
    file, text, expected = CASES[name]
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    found = [(item.kind, item.framework, item.path) for item in proxied_code.read(Source(tmp_path)).records]
    assert found == expected


@settings(max_examples=25)
@given(st.text(max_size=200), st.sampled_from(["a.py", "a.ts", "a.go", "A.java", "a.cs", "a.php", "a.rb", "a.rs"]))
def test_arbitrary_text_does_no_harm(tmp_path_factory, text, name):
    root = tmp_path_factory.mktemp("code")
    (root / name).write_text(f"limiter socket.io {text}", encoding="utf-8")
    proxied_code.read(Source(root))


@pytest.mark.parametrize("text", ["httpOnly: true, secure: ", "x-forwarded-for ", "@ratelimit( key=", "new AServer",
                                  "secure: prod ", "UseGuards(" ])  # fmt: skip
def test_hostile_text_costs_linear_time(text, tmp_path):
    for name in ("a.ts", "a.py", "a.go"):
        (tmp_path / name).write_text("limiter socket.io " + text * (100_000 // len(text)), encoding="utf-8")
    before = time.process_time()
    proxied_code.read(Source(tmp_path))
    assert time.process_time() - before < 2
