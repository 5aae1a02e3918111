package dev.muelle.services.autoscaling.fleet;

/** A subnet that a group may launch in, and its zone. */
public record Place(String zone, String subnet) {}
