"""`python proto/generate.py FOLDER`: make the code of the gRPC API from its proto, and its types.

protoc writes imports by the proto's own package; ours is a folder deeper, so that it lies in the wheel with the API.
"""

import re
import sys
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent
HOME = "api.grpc.generated"


def generate(folder: Path) -> None:
    """Write `chamberlog/v1/*_pb2.py` and `.pyi` into the folder; again: the same.

    Raises:
        SystemExit: protoc refuses the proto; its reasons stand on standard error.
    """
    sources = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("chamberlog/v1/*.proto"))
    include = Path(protoc.__file__).parent / "_proto"
    options = [f"-I{ROOT}", f"-I{include}", f"--python_out={folder}", f"--pyi_out={folder}"]
    code = protoc.main(["protoc", *options, *sources])
    if code:
        raise SystemExit(code)
    for path in folder.glob("chamberlog/v1/*_pb2.py*"):
        text = path.read_text(encoding="utf-8")
        moved = re.sub(r"^from chamberlog\.", f"from {HOME}.chamberlog.", text, flags=re.MULTILINE)
        path.write_text(moved, encoding="utf-8")


if __name__ == "__main__":
    generate(Path(sys.argv[1]))
