"""What is done with the stream of events: drained into the lake, attached to customers, erased."""
