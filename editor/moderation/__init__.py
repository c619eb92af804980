"""What watches over the portal: prompts, pictures and people in which something needs a look, and the audit log."""
