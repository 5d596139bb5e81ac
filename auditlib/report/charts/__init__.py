"""The pictures: each module draws one kind of picture from plain data, on a `Canvas`. They know nothing of audits."""
