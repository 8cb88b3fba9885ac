"""Load a model that a sweep trained, and use it as an ordinary PyTorch module.

Run `ask_a_question.py` in the same folder first; this script resumes its sweep and finds everything done.
"""

import numpy as np
from ask_a_question import sweep

import tcray


def main() -> None:
    """Pick the confirm run that is best on validation, and ask its model for predictions."""
    stored = tcray.run(sweep, store="trials")
    runs = stored.runs().query("phase == 'confirm' and state == 'COMPLETE'")
    best = runs.sort_values("valid.loss").iloc[0]
    print(f"run {best['run_id']}: rank {best['rank']}, test MAE {best['test.mae']:.3f}")

    model = stored.model(best["run_id"])
    print(model)
    rng = np.random.default_rng(0)
    examples = {name: rng.standard_normal((5, width)) for name, width in model.modalities.items()}
    print("predictions:", model.predict(examples).round(3))
    print("parameters:", sum(parameter.numel() for parameter in model.parameters()))


if __name__ == "__main__":
    main()
