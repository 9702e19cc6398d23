"""Log every connection that ends as a line of JSON: addresses, ports, packets, bytes, duration.

    python examples/conntrack_log.py

The program must run as root. It switches on the counters and the timestamps of conntrack in its
network namespace. A new namespace tracks nothing until a rule needs it, such as "ct state new".
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from netlink import Connection, Overrun
from netlink.netfilter import conntrack
from netlink.netfilter.conntrack import Conntrack


def main() -> int:
    """Run the program and return its exit status."""
    shown = argparse.RawDescriptionHelpFormatter
    argparse.ArgumentParser(description=__doc__, formatter_class=shown).parse_args()
    try:
        with Connection(conntrack.FAMILY, rcvbuf=1 << 23) as nl:
            nl.join("conntrack-destroy")  # from now on, new entries will have an end
            for name in ("acct", "timestamp"):
                Path(f"/proc/sys/net/netfilter/nf_conntrack_{name}").write_text("1")
            print("listening", file=sys.stderr, flush=True)
            for event in nl.events():
                print(json.dumps(record(event)), flush=True)
    except OSError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


def record(event: object) -> dict[str, Any]:
    """Return what is logged about an event."""
    if isinstance(event, Overrun):
        return {"lost": "some connections"}
    if not isinstance(event, Conntrack) or event.tuple_orig is None:
        return {}
    flow, time = event.tuple_orig, event.timestamp
    done: dict[str, Any] = {"proto": flow.protonum, "src": str(flow.src), "dst": str(flow.dst)}
    done |= {"sport": flow.sport, "dport": flow.dport, "mark": event.mark}
    for way, counters in (("sent", event.counters_orig), ("received", event.counters_reply)):
        if counters is not None:
            done |= {f"{way}_packets": counters.packets, f"{way}_bytes": counters.bytes}
    if time is not None and time.start and time.stop:
        done["seconds"] = (time.stop - time.start) / 1e9
    return done


if __name__ == "__main__":
    sys.exit(main())
