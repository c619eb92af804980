"""People talk about pictures and decide on them: comments, rounds of review, approval, replacements."""
