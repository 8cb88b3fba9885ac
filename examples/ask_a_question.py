"""State a question in Python, run it on a synthetic twin, and read the verdict.

Run it in an empty folder: `python ask_a_question.py`. It takes about half a minute on two cores and leaves its runs in
`trials/`; run it again and nothing is trained twice.
"""

import tcray

sweep = tcray.Sweep(
    name="question",
    question="Does a higher rank of the fusion help on data that were made with rank 4?",
    claims=["rank-generalisation"],
    datasets=["twin-saturating"],
    factors={"rank": [1, 2, 4, 8]},
    fixed={"lr": 3.0e-3},
    training={"epochs": 12},
    confirm={"seeds": 6},
)


def main() -> None:
    """Run the sweep, then print and draw what it found."""
    stored = tcray.run(sweep, store="trials")
    print(stored.verdicts)
    print(stored.ranking("twin-saturating")[["name", "test.mae", "± test.mae"]].to_string(index=False))
    stored.figure("rank", "twin-saturating").savefig("rank.png")
    print("rank.png shows every unit, the mean, and the levels that may be best")


if __name__ == "__main__":
    main()
