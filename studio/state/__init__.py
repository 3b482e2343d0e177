"""What the studio knows: the library, the job queue, the form, the models, the notifications.

Nothing here imports Qt or starts a thread. Everything is owned by one thread (the window's) and announces its changes
through psygnal signals, which call their listeners at once and in that same thread.
"""
