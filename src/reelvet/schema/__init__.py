"""What crosses the boundary: job, media, plan, ticket, result, errors."""
