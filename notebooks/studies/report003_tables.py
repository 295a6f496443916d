"""What notebook 06 keeps and shows: the race, what it takes in time and memory, the small trainings.

`run` is the notebook's Run: numbers are kept in it under {SLUGS[model]}_{what}.  `race` has the rows that
`report003.race` returned for all models, and their names under `model`; `trained` is name -> its models, one a seed.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from twinvae import data
from twinvae.metrics import cost, samples
from twinvae.metrics.judge import Judge
from twinvae.spec import count_weights
from twinvae_studies import claims, evaluation, report003, verdicts
from twinvae_studies.evaluation import Trained
from twinvae_studies.speed import seconds_in_turns

SLUGS = {"CVAE": "cvae", "CGAN": "cgan", "CVAE, ours": "better_cvae", "CGAN, ours": "better_cgan"}
LOOKS = {"accuracy": ".3f", "frechet": ".1f", "diversity": ".3f", "sharpness": ".4f", "checkerboard": ".2f"}
DIGITS = {"accuracy": ".3f", "frechet": ".1f", "class_frechet": ".1f", "diversity": ".3f", "sharpness": ".4f"}
SMALL = {"loss": ".1f", "active": ".0f", "accuracy": ".3f", "diversity": ".3f", "frechet": ".1f", "sharpness": ".4f"}
REPORT = {"CVAE": (51.15, 75), "CGAN": (40.0, 20)}  # seconds an epoch, and epochs, as report 003 has them
FLOOR = ("accuracy", "frechet")  # in what PCA per class is to be passed, all at once
STATES = {"adam": 4, "rmsprop": 3}  # float32 a weight: itself, its gradient and moments; a moving average is one more


# ---------------------------------------------------------------- what is compared with what
def models(run: Any) -> pd.DataFrame:
    """Keep and return the weights, the multiply-adds and the size of the code of every model."""
    exact = {f"{name}, as the report": model for name, model in report003.EXACT.items()}
    light = {f"{name}, light": model for name, model in report003.LIGHT.items()}
    rows = []
    for name, model in (exact | light | report003.BETTER).items():
        run.spec(model.name, model)
        weights = run.number(f"{model.name}_weights", count_weights(model), ",d")
        work = run.number(f"{model.name}_work", cost.multiply_adds(model), ",d")
        rows.append({"model": name, "weights": weights, "multiply-adds": work, "size of the code": model.latent_dim})
    return pd.DataFrame(rows)


def of_real_images(run: Any, judge: Judge, real: data.Images, held_out: data.Images) -> dict[str, float]:
    """Keep and return what `report003.looks` has of samples for test images; their distance is that of `held_out`."""
    x = data.scale(real.x)
    features = [evaluation.real_features(judge, images) for images in (held_out, real)]
    return {
        "accuracy": run.number("judge_accuracy", evaluation.real_accuracy(judge, real), ".3f"),
        "frechet": run.number("frechet_floor", samples.frechet_distance(*features), ".1f"),
        "class_frechet": report003.class_frechet(features[0], held_out.y, features[1], real.y),
        "diversity": 1.0,
        "sharpness": run.number("real_sharpness", samples.sharpness(x).mean(), ".4f"),
        "checkerboard": run.number("real_checkerboard", samples.checkerboard_peak(x), ".2f"),
    }


# ---------------------------------------------------------------- the race
def keep_race(run: Any, race: pd.DataFrame, trained: dict[str, list[Trained]], looks=LOOKS, paces=None) -> None:
    """Keep what models are worth at the end, `looks` column -> format, and their pace, of `paces` if timed in turns."""
    run.number("epochs", trained["CVAE"][0].settings.epochs, "d")
    run.number("cgan_epochs", trained["CGAN"][0].settings.epochs, "d")
    run.number("seeds", len(trained["CVAE"]), "d")
    for name, slug in slugs(race):
        run.number(f"{slug}_runs", len(trained[name]), "d")
        end, job = report003.at_the_end(race[race.model == name]), trained[name][0].job
        for column, fmt in looks.items():
            evaluation.keep(run, f"{slug}_{column}", end[column].tolist(), fmt)
        pace, _ = evaluation.keep(run, f"{slug}_pace", (end.seconds / end.epoch).tolist(), ".2f")
        warm = [s for m in trained[name] for s in report003.warm(m.history.seconds, job.marks)]
        run.number(f"{slug}_pace_iqr", stats.iqr(paces[name] if paces else warm), ".2f")
        batch, images = trained[name][0].settings.batch_size, run.numbers["train_images"]
        run.number(f"{slug}_speed", images // batch * batch / pace, ",.0f")
    run.number("time_ratio", run.numbers["cvae_pace"] / run.numbers["cgan_pace"], ".2f")


def slugs(race: pd.DataFrame) -> list[tuple[str, str]]:
    """Return the models of a race, each with what the names of its numbers begin with."""
    return [(name, SLUGS[name]) for name in race.model.unique()]


def curve(race: pd.DataFrame, name: str, column: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the minutes of training at a model's marks, means over seeds, and a column there.  -> [P], [S, P]"""
    parts = [part for _, part in race[race.model == name].groupby("seed")]
    return np.mean([part.seconds for part in parts], 0) / 60, np.stack([part[column] for part in parts])


def ends(race: pd.DataFrame, column: str, scale: float = 1) -> np.ndarray:
    """Return a column at the end, a row a model, NaN where a model has fewer seeds than another.  -> [G, S]"""
    last = report003.at_the_end(race).pivot_table(column, "model", "seed")
    return scale * last.loc[race.model.unique()].to_numpy()


def end(run: Any, race: pd.DataFrame, pca: dict[str, float], real: dict[str, float], looks=LOOKS) -> pd.DataFrame:
    """Return what samples are worth after the race, a row a model, PCA per class and real images."""
    n, rows = run.numbers, []
    for name, slug in slugs(race):
        row = {"model": name} | {c: n[f"{slug}_{c}"] for c in looks}
        rows.append(row | {"s/epoch": n[f"{slug}_pace"], "images/s": n[f"{slug}_speed"]})
    for name, seen in (("PCA per class", pca), ("real images", real)):
        rows.append({"model": name} | {c: seen[c] for c in looks})
    return pd.DataFrame(rows)


def thresholds(run: Any, race: pd.DataFrame) -> pd.DataFrame:
    """Keep and return when each model is past the thresholds of accuracy, as `arrival` says it, a row a model.

    A run that never gets there counts with one epoch more than it had: then the mean is a lower bound.
    """
    rows = []
    for name, slug in slugs(race):
        part = race[race.model == name]
        row = {"model": name, "runs": part.seed.nunique()}
        for threshold in report003.THRESHOLDS:
            firsts, percent = report003.first_past(part, threshold), f"{100 * threshold:.0f}"
            mean = np.nan_to_num(firsts, nan=part.epoch.max() + 1).mean()
            least = run.number(f"{slug}_epochs{percent}", mean, ".1f")
            run.number(f"{slug}_never{percent}", int(np.isnan(firsts).sum()), "d")
            seconds = run.number(f"{slug}_seconds{percent}", least * run.numbers[f"{slug}_pace"], ".1f")
            row[f"{percent} %"] = arrival(firsts, f"{least:.3g} ({seconds:.0f} s)")
        rows.append(row)
    return pd.DataFrame(rows)


def arrival(firsts: Sequence[float], words: str) -> str:
    """Return `words` for when runs arrive, marked as a lower bound where one never does; 'never' where none does."""
    never = int(np.isnan(firsts).sum())
    if never == len(firsts):
        return "never"
    return f"at least {words}, {never} never" if never else words


# ---------------------------------------------------------------- what it takes
def takes(run: Any, race: pd.DataFrame, trained: dict[str, list[Trained]], y: np.ndarray, floor=FLOOR) -> pd.DataFrame:
    """Keep and return what each model takes, a row a model: an epoch, the way past PCA per class, a sample, memory.

    Past PCA is who is no worse in any column of `floor`.  Numbers: {slug}_floor_minutes, a lower bound where
    {slug}_floor_never runs do not get there, and its deviation; {slug}_sample_ms and its quartile range; {slug}_mib, of
    weights, gradients, moments and moving average.
    """
    draws = {name: partial(evaluation.generate, seeds[0], y) for name, seeds in trained.items()}
    drawn = seconds_in_turns(draws, rounds=5)
    rows = []
    for name, slug in slugs(race):
        part, n = race[race.model == name], run.numbers
        firsts = report003.first_better(part, {column: n[f"pca_{column}"] for column in floor})
        late = part.groupby("seed").seconds.max() * (1 + 1 / part.epoch.max()) / 60  # one epoch more than was trained
        minutes = [last if np.isnan(first) else first / 60 for first, last in zip(firsts, late, strict=True)]
        mean, sd = evaluation.keep(run, f"{slug}_floor_minutes", minutes)
        run.number(f"{slug}_floor_never", int(np.isnan(firsts).sum()), "d")
        seconds = 1_000 * np.array(drawn[name]) / len(y)
        row = {"model": name, "runs": len(firsts), "s/epoch": n[f"{slug}_pace"], "IQR": n[f"{slug}_pace_iqr"]}
        row["minutes past PCA"] = arrival(firsts, f"{mean:.2f} (sd {sd:.2f})" if len(firsts) > 1 else f"{mean:.2f}")
        row["ms a sample"] = run.number(f"{slug}_sample_ms", np.median(seconds), ".3f")
        row["its IQR"] = run.number(f"{slug}_sample_ms_iqr", stats.iqr(seconds), ".3f")
        one = trained[name][0]
        state = count_weights(one.spec) * 4 * (STATES[one.settings.optimizer] + (one.settings.average > 0))
        rows.append(row | {"MiB": run.number(f"{slug}_mib", state / 2**20, ".1f")})
    return pd.DataFrame(rows)


def winner(run: Any, one: str = "CVAE", other: str = "CGAN") -> str:
    """Return who wins by time, in words; nobody who is not past PCA per class in every run.

    Both past it, minutes decide, clear of their spread over seeds; with fewer runs than claims take, nobody wins.
    """
    n, names = run.numbers, (one, other)
    there = [name for name in names if not n[f"{SLUGS[name]}_floor_never"]]
    if not there:
        return "neither passes it in every run, so nobody has won, and what took less time is no better for it"
    when = {name: f"after {n[f'{SLUGS[name]}_floor_minutes']:.2f} minutes" for name in there}
    passed = " and ".join(f"the {name} passes it {words}" for name, words in when.items())
    if min(n[f"{SLUGS[name]}_runs"] for name in names) < claims.SEEDS:
        return f"{passed}, but with fewer than {claims.SEEDS} runs of each nobody has won"
    if len(there) == 1:
        return f"{passed} and the other does not in every run, so the {there[0]} wins"
    minutes = [f"{SLUGS[name]}_floor_minutes" for name in names]
    won = {"less": f"so the {one} wins", "more": f"so the {other} wins", "alike": "no more apart than seeds are"}
    return f"{passed}, {verdicts.compared(run, *minutes, **won)}"


def blurrier(run: Any) -> str:
    """Return in words which of the pair is blurrier, if both are past PCA per class."""
    if max(run.numbers[f"{slug}_floor_never"] for slug in ("cvae", "cgan")):
        return "but a model that is not past PCA per class in every run is not compared"
    blurred = "the CVAE is the blurrier one, as the mean of many images must be"
    words = {"less": blurred, "more": "here the CGAN is the blurrier one", "alike": "no clear difference"}
    return verdicts.compared(run, "cvae_sharpness", "cgan_sharpness", **words)


def costs(run: Any, timed: dict[str, list[float]], images: int) -> pd.DataFrame:
    """Keep the CVAE's seconds over the CGAN's; return ours, of so many images `in_turns`, beside the report's."""
    (cvae, often), (cgan, seldom) = REPORT.values()
    run.number("report_ratio", cvae / cgan, ".2f")
    run.number("report_total_ratio", cvae * often / (cgan * seldom), ".1f")
    work = [cost.multiply_adds(model) for model in report003.EXACT.values()]
    run.number("work_ratio", work[0] / work[1], ".2f")
    speed = {name: images / float(np.mean(seconds)) for name, seconds in timed.items()}
    if timed:
        evaluation.keep(run, "exact_ratio", [c / g for c, g in zip(*timed.values(), strict=True)])
    rows = []
    for name, (seconds, epochs) in REPORT.items():
        row = {"model": name, "report: s/epoch": seconds, "images/s": 60_000 / seconds, "epochs": epochs}
        row |= {"minutes in all": seconds * epochs / 60, "race, here: images/s": run.numbers[f"{SLUGS[name]}_speed"]}
        rows.append(row | {"exact, here: images/s": speed.get(name, np.nan)})
    return pd.DataFrame(rows)


# ---------------------------------------------------------------- small trainings
def keep_small(run: Any, found: dict[str, dict[str, float]], **more: str) -> None:
    """Keep what `report003.measured` found, name -> row, under {name}_{column}; `more` are other columns' formats."""
    for name, row in found.items():
        for column, fmt in (SMALL | more).items():
            run.number(f"{name}_{column}", row[column], fmt)


def printed(found: dict[str, dict[str, float]]) -> pd.DataFrame:
    """Return the CVAE as printed, with one mistake at a time, and corrected, a row each."""
    rows = []
    for cell in report003.PRINTED:
        planes = "scrambled" if cell in ("printed", "planes") else "right"
        norms = "frozen" if cell in ("printed", "norms") else "trained"
        rows.append({"label planes": planes, "normalisation": norms} | {c: found[cell][c] for c in SMALL})
    return pd.DataFrame(rows)


def in_colour(found: dict[str, dict[str, float]], trained: dict[str, Trained]) -> pd.DataFrame:
    """Return report 004's models on CIFAR-10, a row each, and below them the convolutional CVAE.

    Without a label there is nothing to obey: AE and VAE have no accuracy and no diversity.
    """
    words = {"mlp_ae": "AE", "mlp_vae": "VAE", "mlp_cvae": "CVAE", "right": "convolutional CVAE, light"}
    rows = []
    for name, model in words.items():
        row = {"model": model, "weights": count_weights(trained[name].spec)}
        row |= {"squared error": found[name]["squared_error"]} | {c: found[name][c] for c in SMALL if c != "loss"}
        rows.append(row | (dict(accuracy=np.nan, diversity=np.nan) if model in ("AE", "VAE") else {}))
    return pd.DataFrame(rows)
