"""A gradebook that takes a while over each score. `python -m bench.lms_server MILLISECONDS`; prints its port.

One process, so that what it costs is not what is measured; GET /taken says how many scores it has taken, of how many
people.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from contextlib import suppress

HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n"
TOKEN = {"access_token": "bench", "token_type": "Bearer", "expires_in": 3600}


class Gradebook:
    """Scores by person."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.taken: Counter[str] = Counter()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, for as long as it is kept."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                lines = head.lower().splitlines()
                length = next((int(line.partition(":")[2]) for line in lines if line.startswith("content-length:")), 0)
                content = json.dumps(await self._answer(head.split(" ")[1], await reader.readexactly(length))).encode()
                writer.write(HEAD.format(len(content)).encode() + content)
                await writer.drain()
        writer.close()

    async def _answer(self, path: str, body: bytes) -> object:
        if path.endswith("/token"):
            return TOKEN
        if path.endswith("/taken"):
            return {"scores": self.taken.total(), "people": len(self.taken)}
        if "/scores" not in path:
            return []
        await asyncio.sleep(self.seconds)
        self.taken[json.loads(body)["userId"]] += 1
        return None


async def main(seconds: float) -> None:
    """Until it is killed."""
    server = await asyncio.start_server(Gradebook(seconds).serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) / 1000))
