"""From evidence to answers: what a decision was made of, as named inputs, formulas, checks and readable text."""
