"""Low-rank, tensor and concatenation fusion with optional conditioning; K models are stacked along a member axis."""
