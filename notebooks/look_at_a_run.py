# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # Look at a run
#
# The corpus of a finished run as a table: how many pairs, how good, and the ones to look at first. Set `MEKONG_RUN` to
# another run folder. Plain Python; open it with jupytext, or run it as a script.

# %%
import os
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq

RUN = Path(os.environ.get("MEKONG_RUN", "out/quickstart"))
pairs = pq.read_table(RUN / "corpus" / "pairs.parquet")
print(f"{pairs.num_rows} pairs in {RUN}")

# %% [markdown]
# ## Pairs by language and origin

# %%
counts = pairs.group_by(["src_lang", "origin"]).aggregate([("id", "count"), ("score_length_ratio", "mean")])
for row in counts.sort_by("src_lang").to_pylist():
    ratio = row["score_length_ratio_mean"]
    print(f"{row['src_lang']}  {row['origin']:<10}  {row['id_count']:>6}  length ratio {ratio:.2f}")

# %% [markdown]
# ## The least similar aligned pairs

# %%
aligned = pairs.filter(pc.equal(pairs["origin"], "aligned")).sort_by("score_similarity")
for row in aligned.slice(0, 5).to_pylist():
    similarity = row["score_similarity"]
    print("-" if similarity is None else f"{similarity:.3f}", row["src_text"], "|", row["tgt_text"])
