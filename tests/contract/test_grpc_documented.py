"""Every example of docs/grpc.md works, by the client code that its own command makes."""

import asyncio
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests.contract.grpc_client import serving
from tests.unit.api_world import KEYS, World

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/grpc.md").read_text("utf-8")


def fences(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


async def test_the_examples_work(tmp_path: Path) -> None:
    [command] = fences("sh")
    (tmp_path / "client").mkdir()
    (tmp_path / "proto").symlink_to(ROOT / "proto")
    made = command.replace("python ", f"{shlex.quote(sys.executable)} ", 1)
    await asyncio.to_thread(subprocess.run, ["bash", "-c", made], cwd=tmp_path, check=True, timeout=50)
    examples = fences("python")
    assert len(examples) == 5
    async with serving(World()) as client:
        script = "\n".join(examples).replace("127.0.0.1:9090", f"127.0.0.1:{client.port}")
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            script,
            env=os.environ | {"PYTHONPATH": str(tmp_path / "client"), "CHAMBERLOG_API_KEY": KEYS["default"]},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        output, errors = await asyncio.wait_for(process.communicate(), 50)
    assert process.returncode == 0, errors.decode()
    assert output.decode().splitlines() == [
        "1 True",
        "2 2026-03-01T12:00:34.480Z",
        "StatusCode.NOT_FOUND no chamber 'incubator-4'",
        "[('chamber_id', \"no chamber 'incubator-4'; Chambers/ListChambers lists what there is\")]",
        "incubator-3 default",
        "StatusCode.DEADLINE_EXCEEDED",
    ]
