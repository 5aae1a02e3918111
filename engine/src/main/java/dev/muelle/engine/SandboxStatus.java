package dev.muelle.engine;

import java.util.List;
import java.util.Map;

/** A sandbox that exists, and its containers in the order in which they were started. */
public record SandboxStatus(
    String id, Map<String, String> labels, List<ContainerStatus> containers) {}
