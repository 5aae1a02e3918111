package dev.muelle.examples.foro;

import java.util.List;
import java.util.Optional;

/** What the forum is made of; each could be a program of its own. */
interface Part {

  /** The beginning of its paths: {@code /api/<name>}. */
  String name();

  /**
   * What is at a path.
   *
   * @param path the segments after {@code /api/<name>}
   * @return JSON; empty if there is nothing
   */
  Optional<String> at(List<String> path);
}
