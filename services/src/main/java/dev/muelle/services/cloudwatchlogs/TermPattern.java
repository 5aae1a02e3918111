package dev.muelle.services.cloudwatchlogs;

import java.util.ArrayList;
import java.util.List;

/**
 * Terms that a message has to contain: all of the plain ones and none of those after a minus. Terms
 * after a question mark are alternatives, and, as on AWS, are ignored if there are terms of the
 * other kinds. Case counts; a term may be part of a word.
 */
record TermPattern(List<String> all, List<String> none, List<String> any) implements FilterPattern {

  static FilterPattern parse(String pattern) {
    List<String> all = new ArrayList<>();
    List<String> none = new ArrayList<>();
    List<String> any = new ArrayList<>();
    PatternReader in = new PatternReader(pattern);
    while (!in.atEnd()) {
      if (in.accept("-")) {
        none.add(term(in));
      } else if (in.accept("?")) {
        any.add(term(in));
      } else {
        all.add(term(in));
      }
      in.skipBlanks();
    }
    if (none.contains("")) {
      throw PatternReader.unexpected('-'); // would match nothing, ever
    }
    return new TermPattern(List.copyOf(all), List.copyOf(none), List.copyOf(any));
  }

  /** A phrase of nothing but blanks is in every message. */
  private static String term(PatternReader in) {
    in.skipBlanks();
    if (in.peek() != '"') {
      String word = in.run("");
      if (!in.atEnd() && !Character.isWhitespace(in.peek())) {
        throw PatternReader.unexpected(in.peek());
      }
      return word;
    }
    String phrase = in.quoted('"');
    return phrase.isBlank() ? "" : phrase;
  }

  @Override
  public List<String> needs() {
    return all.isEmpty() && none.isEmpty() && any.size() == 1 ? any : all;
  }

  @Override
  public boolean matches(String message) {
    if (all.isEmpty() && none.isEmpty()) {
      return any.stream().anyMatch(message::contains);
    }
    return all.stream().allMatch(message::contains) && none.stream().noneMatch(message::contains);
  }
}
