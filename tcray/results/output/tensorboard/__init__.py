"""TensorBoard event files of sweeps: one run per cell, and per sweep one run with verdicts, figures and charts."""
