package dev.muelle.services.ecs.exec;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A command line's words, quoted as in a shell; nothing is expanded. */
public final class Words {

  private Words() {}

  /**
   * Splits.
   *
   * @return empty if a quotation does not end
   */
  public static Optional<List<String>> split(String line) {
    List<String> words = new ArrayList<>();
    StringBuilder word = new StringBuilder();
    boolean begun = false;
    char quote = 0;
    for (int i = 0; i < line.length(); i++) {
      char c = line.charAt(i);
      if (quote == 0 && Character.isWhitespace(c)) {
        if (begun) {
          words.add(word.toString());
          word.setLength(0);
          begun = false;
        }
        continue;
      }
      begun = true;
      if (c == '\\' && quote != '\'') {
        if (++i == line.length()) {
          return Optional.empty();
        }
        char next = line.charAt(i);
        if (quote == '"' && "\"\\$`".indexOf(next) < 0) {
          word.append(c); // in double quotes only these are escaped
        }
        word.append(next);
      } else if (quote == 0 && (c == '\'' || c == '"')) {
        quote = c;
      } else if (c == quote) {
        quote = 0;
      } else {
        word.append(c);
      }
    }
    if (begun) {
      words.add(word.toString());
    }
    return quote == 0 ? Optional.of(List.copyOf(words)) : Optional.empty();
  }
}
