#!/bin/sh
#
# urllib3 1.26.12 (Debian 12): PoolManager().request('PUT', url, timeout=1.0),
# with nothing said of retries, waits for as long as the Retry-After of a 503
# says, three times, and then returns the 503.  There is no upper limit: an hour
# in Retry-After is three hours.  With "Timeout(total=1.0)" it is the same.
#
# One would guess that the call ends after a second, or at once: no status is
# named that is to be retried (status_forcelist is empty), and a total time-out
# was given.  But 413, 429 and 503 are retried for the sake of a Retry-After
# alone, with any method but POST and PATCH; and each try has its own time-out,
# which no wait between them counts for.
#
# So a server that is busy can hold up a client for as long as it likes.  Seen,
# with "Retry-After: 2" and time-outs of one second:
#
#     PUT, timeout=1.0: 503, 4 requests, 6 seconds or more
#     PUT, Timeout(total=1.0): 503, 4 requests, 6 seconds or more
#     POST, timeout=1.0: 503, 1 requests, less than 6 seconds
#     PUT without Retry-After: 503, 1 requests, less than 6 seconds
#
# Needs: apt-get, dpkg, python3.  Nothing is installed.

set -eu

VERSION=1.26.12-1+deb12u4

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"

apt-get -q download "python3-urllib3=$VERSION" python3-six > apt.log 2>&1 \
    || { cat apt.log; exit 2; }

for deb in *.deb; do dpkg-deb -x "$deb" root; done

cat > wait.py << 'PYTHON'
import http.server
import threading
import time

import urllib3

requests = []


class Busy(http.server.BaseHTTPRequestHandler):
    def refuse(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        requests.append(self.command)
        self.send_response(503)

        if self.path == "/later":
            self.send_header("Retry-After", "2")

        self.send_header("Content-Length", "0")
        self.end_headers()

    do_PUT = do_POST = refuse

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Busy)
threading.Thread(target=server.serve_forever, daemon=True).start()


def said(name, method, path, timeout):
    requests.clear()
    began = time.monotonic()
    status = urllib3.PoolManager().request(
        method, "http://127.0.0.1:%d%s" % (server.server_port, path),
        body=b"one", timeout=timeout).status
    took = time.monotonic() - began

    print("%s: %d, %d requests, %s" % (
        name, status, len(requests),
        "6 seconds or more" if took >= 6 else "less than 6 seconds"))


said("PUT, timeout=1.0", "PUT", "/later", 1.0)
said("PUT, Timeout(total=1.0)", "PUT", "/later", urllib3.Timeout(total=1.0))
said("POST, timeout=1.0", "POST", "/later", 1.0)
said("PUT without Retry-After", "PUT", "/", 1.0)
PYTHON

PYTHONPATH=$dir/root/usr/lib/python3/dist-packages python3 wait.py \
    > shown 2>&1 || { cat shown; exit 1; }

cat > expected << 'TEXT'
PUT, timeout=1.0: 503, 4 requests, 6 seconds or more
PUT, Timeout(total=1.0): 503, 4 requests, 6 seconds or more
POST, timeout=1.0: 503, 1 requests, less than 6 seconds
PUT without Retry-After: 503, 1 requests, less than 6 seconds
TEXT

echo "urllib3 $VERSION"
cat shown
cmp -s shown expected
