"""A worker of learned metrics that loads nothing: the score of a row is the length of its hypothesis.

What it does wrong is the name of its folder.
"""

import json
import sys
from pathlib import Path

settings = json.loads(sys.stdin.readline())
wrong = Path(settings["folder"]).name
if wrong == "no-start":
    sys.exit("there is no model here")
print(json.dumps({"version": "fake-1.0"}), flush=True)  # noqa: T201
for line in sys.stdin:
    question = json.loads(line)
    scores = [float(len(row["mt"]) + 100 * ("ref" in row)) for row in question["rows"]]
    if wrong == "dies":
        sys.exit("the memory is used up")
    if wrong == "too-few":
        scores.pop()
    if wrong == "not-finite":
        scores[0] = float("nan")
    answer = {"id": question["id"] + (wrong == "another"), "scores": scores, "cut": int(wrong == "cuts")}
    print(json.dumps(answer) if wrong != "nonsense" else "{half an ans", flush=True)  # noqa: T201
