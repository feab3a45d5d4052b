"""Records that customers refer to: tags, segments, custom fields, saved views, companies, departments, agents."""
