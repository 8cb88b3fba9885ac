"""What `tensorboard --logdir` shows of sweeps: a run a cell, and above them verdicts, figures and charts."""
