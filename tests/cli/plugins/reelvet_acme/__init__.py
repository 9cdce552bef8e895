"""A vendor called Acme that lives in the media's name: `https://media.test/block.mp4` is blocked, and so on."""
