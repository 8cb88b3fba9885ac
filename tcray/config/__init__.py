"""What a sweep may say: from a YAML file to frozen models, every problem with its line and column."""
