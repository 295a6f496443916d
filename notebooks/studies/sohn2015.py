"""Quadrant completion of Sohn et al. 2015 on MNIST: one, two or three quadrants are given, the others are to be told.

A net without chance is the baseline, a CVAE the model; the nets are those of Pyro's example, and so is the likelihood,
a Bernoulli on grey pixels: its values compare with that example's alone.  Validation images choose the epoch, the test
images are touched once.  Notebook 09 shows it.
"""

from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
from scipy.special import logsumexp

from twinvae import data, randomness
from twinvae.spec import Activation, CompletionSpec, Flatten, TrainSpec, mlp
from twinvae.training import Job, Trained, per_image
from twinvae_studies import papers, planning

# -log p(missing | observed) in nats per image, by observed quadrants.  The example calls its estimator Monte Carlo;
# what it computes is the ELBO, on the images by which it stops training (Pyro, examples/cvae, at 1.9).
PYRO = {1: {"baseline": 100.4, "elbo": 71.8}, 2: {"baseline": 61.9, "elbo": 51.0}, 3: {"baseline": 25.4, "elbo": 24.2}}
WORDS = {
    "baseline_rate": "net, the example's rate to the end",
    "baseline": "net",
    "elbo_rate": "ELBO, the example's rate to the end",
    "elbo": "ELBO",
    "monte_carlo": "Monte Carlo",
    "importance": "importance sampling",
}
ESTIMATORS = ("elbo", "monte_carlo", "importance")
WHAT = {"baseline": "baseline", "completion": "elbo"}  # model -> what its loss estimates
ENDS = {"": "nll", "_low": "low", "_high": "high"}  # of a number's name -> of an interval
AMOUNTS = planning.amounts(  # of the profiles smoke, quick and full
    train=(128, 5_000, None),
    test=(20, 300, None),
    baseline=(1, 3, 10),  # epochs at the example's rate
    completion=(1, 4, 18),
    lengths=((1, 2, 3), (2, 6, 18), (10, 30, 90)),  # epochs of the trainings of both whose rate falls to zero
    samples=(5, 20, 100),  # of z for each estimator
)


def models(quadrants: int) -> dict[str, CompletionSpec]:
    """Return the two models for one task: layers of 500, and a code of 200 for the CVAE."""
    layers = dict(encoder=(Flatten(), *mlp(500, 500)), decoder=mlp(500, 500), init="keras")
    cvae = CompletionSpec(f"completion_{quadrants}", "completion", (28, 28, 1), 200, quadrants=quadrants, **layers)
    net = dict(latent_dim=500, code_activation=Activation("relu"), encoder=(Flatten(), *mlp(500)), decoder=())
    return {"baseline": cvae.of_kind("completer", name=f"completer_{quadrants}", **net), "completion": cvae}


def jobs(profile: str, backend_name: str) -> dict[tuple[int, str], list[Job]]:
    """Return for each task and model a training at the example's rate, and then those whose rate falls to zero."""
    amount, found = AMOUNTS[profile], {}
    recipe = data.Recipe("mnist", train_size=amount.train, valid_size=amount.test)
    for quadrants in PYRO:
        for name, spec in models(quadrants).items():
            kept = TrainSpec(getattr(amount, name), 128)
            each = [kept, *(replace(kept, epochs=epochs, schedule="cosine") for epochs in amount.lengths)]
            found[quadrants, name] = [Job(spec, (one,), recipe, backend_name, best=True) for one in each]
    return found


def losses(trained: Trained, images: data.Images) -> np.ndarray:
    """Return the loss of each image: -ELBO with one sample of z, or the baseline's -log p(missing | observed).  [N]"""
    batches = randomness.validation(images, trained.settings, trained.spec.latent_dim, trained.model.dtype)
    terms = (trained.twin.models.call(trained.model, "loss_terms", *batch) for batch in batches)
    return np.concatenate([np.sum(each, axis=0) for each in terms])


def estimates(trained: Trained, samples: int, seed: int, x: np.ndarray) -> np.ndarray:
    """Return -log p(missing | observed), in nats, by each of the ESTIMATORS of a CVAE.  [N, H, W, C] -> [3, N]

    elbo: samples from q(z | image), their mean (an upper bound);  importance: the same, weighted;
    monte_carlo: samples from p(z | observed) alone  (Sohn et al. 2015, section 4.3).
    """
    found, call = np.empty((len(ESTIMATORS), len(x))), partial(trained.twin.models.call, trained.model)
    for start in range(0, len(x), 40):
        part = x[start : start + 40]
        shape = (2, samples, len(part), trained.spec.latent_dim)
        eps = randomness.rng(seed, "likelihood", start).standard_normal(shape)
        log_w = call("log_weights", part, np.zeros((len(part), 1)), eps[0]).astype(np.float64)
        y = call("observed", part)
        mu, logvar = call("prior", y)
        log_p = call("log_likelihood", part, y, mu + np.exp(0.5 * logvar) * eps[1]).astype(np.float64)
        sampled, weighted = (np.log(samples) - logsumexp(each, 0) for each in (log_p, log_w))
        found[:, start : start + 40] = -log_w.mean(0), sampled, weighted
    return found


def pictures(cvae: Trained, net: Trained, x: np.ndarray, draws_each: int = 4) -> np.ndarray:
    """Return what is observed, the net's image, S of the CVAE's, the truth.  [N, H, W, C] -> uint8 [N, 3 + S, ...]"""
    mu, logvar = cvae.predict("prior", cvae.predict("observed", x))
    eps = randomness.rng(0, "prior").standard_normal((draws_each, *mu.shape))
    drawn = [cvae.predict("generate", mu + np.exp(0.5 * logvar) * e, None) for e in eps]
    missing = np.isin(np.arange(x[0].size), cvae.spec.missing()).reshape(x.shape[1:])
    made = [net.predict("reconstruct", x, None), *drawn]
    rows = [np.where(missing, 0.5, x), *(np.where(missing, image, x) for image in made), x]
    return np.round(255 * np.stack(rows, 1)).astype(np.uint8)


def complete(run, backend_name: str, quadrants: int) -> dict:
    """Return the facts of one task: intervals by the keys of WORDS, `pictures`, and the models' `cards`."""
    amount, trainings = AMOUNTS[run.profile], jobs(run.profile, backend_name)
    trained = {name: [papers.train(run, job) for job in trainings[quadrants, name]] for name in WHAT}
    every = papers.images(trained["baseline"][0].job.data).test
    test = every.subset(slice(amount.test))
    x = data.scale(test.x)
    facts = {f"{key}_rate": papers.interval(losses(trained[name][0], test)) for name, key in WHAT.items()}
    best = {name: min(each[1:], key=lambda one: one.history.valid_loss.min()) for name, each in trained.items()}
    facts["baseline"] = papers.interval(losses(best["baseline"], test))
    for one in trained["completion"][1:]:
        each = per_image(one, f"estimates-{amount.samples}", partial(estimates, one, amount.samples), x, block=1_000)
        found = dict(zip(ESTIMATORS, each, strict=True))
        loss = one.history.valid_loss
        row = {"epochs": len(loss), "best": int(one.history.epoch[loss.idxmin()]), "valid": loss.min()}
        facts.setdefault("lengths", []).append(row | {"importance": found["importance"].mean()})
        if one is best["completion"]:
            facts |= {name: papers.interval(values) for name, values in found.items()}
            facts["hidden"] = papers.interval(found["elbo"] - found["importance"])
    first = [np.flatnonzero(every.y == k)[0] for k in range(every.num_classes)]
    shown = pictures(best["completion"], best["baseline"], data.scale(every.x[first]))
    cards = [one.card for each in trained.values() for one in each]
    return facts | {"images": len(x), "pictures": shown, "cards": cards}


def study(run, backend_name: str) -> dict:
    """Return the facts of a twin's `tasks`, by observed quadrants."""
    tasks = {quadrants: complete(run, backend_name, quadrants) for quadrants in PYRO}
    cards = [card for one in tasks.values() for card in one["cards"]]
    train = papers.images(jobs(run.profile, backend_name)[1, "baseline"][0].data).train
    return {"tasks": tasks, "train_images": len(train), "images": tasks[1]["images"], "cards": cards}


def table(found: dict[str, dict]) -> pd.DataFrame:
    """Return a row an estimate and task: of each twin the value and half its 95 % interval, and what is published."""
    rows = []
    for quadrants, published in PYRO.items():
        for key, words in WORDS.items():
            row = {"observed": quadrants, "estimate": words}
            for name, facts in found.items():
                each = facts["tasks"][quadrants][key]
                row |= {name: each["nll"], f"{name} +-": each["high"] - each["nll"]}
            rows.append(row | {"published": published.get(key.removesuffix("_rate"), np.nan)})
    return pd.DataFrame(rows)


def numbers(found: dict[str, dict]) -> dict[str, float]:
    """Return each twin's value of each task and estimate, and the worse one with its interval: `q1_elbo_high`, ...

    `q1_hidden` is what the ELBO hides of importance sampling's value, in the twin in which that is less;
    `q_baseline_off` is how far the farthest baseline, at the example's rate, is from the published one, in nats;
    `q_images` on how many images all were trained.
    """
    known, off = {}, []
    for quadrants, published in PYRO.items():
        for key in WORDS:
            each = {name: facts["tasks"][quadrants][key] for name, facts in found.items()}
            known |= {f"q{quadrants}_{key}_{name}": one["nll"] for name, one in each.items()}
            worse = max(each.values(), key=lambda one: one["nll"])
            known |= {f"q{quadrants}_{key}{end}": worse[what] for end, what in ENDS.items()}
        least = min((facts["tasks"][quadrants]["hidden"] for facts in found.values()), key=lambda one: one["nll"])
        known |= {f"q{quadrants}_hidden{end}": least[what] for end, what in ENDS.items()}
        known |= {f"q{quadrants}_{key}_published": value for key, value in published.items()}
        off += [abs(known[f"q{quadrants}_baseline_rate_{name}"] - published["baseline"]) for name in found]
    return known | {"q_baseline_off": max(off), "q_images": min(facts["train_images"] for facts in found.values())}
