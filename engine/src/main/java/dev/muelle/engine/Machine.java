package dev.muelle.engine;

import java.util.Map;

/**
 * What several sandboxes are on, as tasks are on a container instance: it has a file system of its
 * own, which begins almost empty and is not this machine's, and namespaces that its sandboxes may
 * share. It comes with the first sandbox that names it, and stays until {@link
 * Engine#removeMachine}.
 *
 * @param id letters, digits and dashes, at most 64
 * @param labels kept and given back by {@link Engine#machines}
 */
public record Machine(String id, Map<String, String> labels) {}
