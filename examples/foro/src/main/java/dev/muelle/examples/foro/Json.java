package dev.muelle.examples.foro;

import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The little JSON that a forum without input needs. */
final class Json {

  private Json() {}

  static String list(Stream<String> values) {
    return values.collect(Collectors.joining(",", "[", "]"));
  }
}
