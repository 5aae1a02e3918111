package dev.muelle.services.cloudwatchlogs;

import dev.muelle.services.cloudwatchlogs.Comparison.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/**
 * Conditions on the columns of a space-delimited message. What stands in brackets or double quotes
 * is one column. The last name takes whatever is left of the message; an ellipsis stands for any
 * number of columns, so that those after it are counted from the end.
 *
 * @param head from the start
 * @param open whether there is an ellipsis after the head
 * @param tail from the end; empty without an ellipsis
 */
record ColumnPattern(List<Predicate<Value>> head, boolean open, List<Predicate<Value>> tail)
    implements FilterPattern {

  /**
   * Reads what stands between the brackets.
   *
   * @throws software.amazon.awssdk.services.cloudwatchlogs.model.InvalidParameterException if it is
   *     no pattern
   */
  static FilterPattern parse(String inner) {
    PatternReader in = new PatternReader(inner);
    Expressions expressions = new Expressions(Comparison.MOST_EXPRESSIONS);
    List<Predicate<Value>> head = new ArrayList<>();
    List<Predicate<Value>> tail = new ArrayList<>();
    boolean open = false;
    do {
      if (in.accept("...") || in.accept("…")) {
        if (open) {
          throw PatternReader.invalid();
        }
        open = true;
      } else {
        (open ? tail : head).add(column(in, expressions));
      }
    } while (in.accept(","));
    in.skipBlanks();
    if (!in.atEnd()) {
      throw PatternReader.unexpected(in.peek());
    }
    return new ColumnPattern(List.copyOf(head), open, List.copyOf(tail));
  }

  private static Predicate<Value> column(PatternReader in, Expressions expressions) {
    in.skipBlanks();
    if (in.atEnd() || in.peek() == ',') {
      return any -> true; // without a name
    }
    List<String> names = new ArrayList<>();
    Predicate<Value> conditions =
        Expression.read(
            in,
            () -> {
              names.add(in.run("-"));
              Comparison comparison = Comparison.read(in, expressions);
              if (comparison != null) {
                return comparison;
              }
              return any -> true;
            });
    if (names.stream().distinct().count() > 1) {
      throw PatternReader.invalid(); // another column's name
    }
    return conditions;
  }

  @Override
  public boolean matches(String message) {
    List<Column> columns = columns(message);
    if (columns.size() < head.size() + tail.size()) {
      return false;
    }
    for (int i = 0; i < head.size(); i++) {
      boolean rest = !open && i == head.size() - 1 && columns.size() > head.size();
      String text = rest ? message.substring(columns.get(i).start()) : columns.get(i).text();
      if (!head.get(i).test(Value.of(text))) {
        return false;
      }
    }
    int first = columns.size() - tail.size();
    for (int i = 0; i < tail.size(); i++) {
      if (!tail.get(i).test(Value.of(columns.get(first + i).text()))) {
        return false;
      }
    }
    return true;
  }

  /**
   * A column of a message.
   *
   * @param start where it begins, its bracket or quote included
   */
  private record Column(int start, String text) {}

  private static List<Column> columns(String message) {
    List<Column> columns = new ArrayList<>();
    int at = 0;
    while (at < message.length()) {
      char one = message.charAt(at);
      if (Character.isWhitespace(one)) {
        at++;
        continue;
      }
      int closing =
          one == '[' ? message.indexOf(']', at) : one == '"' ? message.indexOf('"', at + 1) : -1;
      if (closing > 0) {
        columns.add(new Column(at, message.substring(at + 1, closing)));
        at = closing + 1;
        continue;
      }
      int end = at;
      while (end < message.length() && !Character.isWhitespace(message.charAt(end))) {
        end++;
      }
      columns.add(new Column(at, message.substring(at, end)));
      at = end;
    }
    return columns;
  }
}
