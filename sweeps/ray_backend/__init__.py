"""Ray Tune: searcher, scheduler, trainable and watchdog."""
