"""Sends files by tus, one after the other: python tus_client.py URL LIST.json"""

import json
import sys
from pathlib import Path

from tusclient.client import TusClient

CHUNK = 16 << 20

client = TusClient(sys.argv[1])
for path in json.loads(Path(sys.argv[2]).read_text()):
    client.uploader(path, chunk_size=CHUNK, metadata={"filename": Path(path).name}).upload()
