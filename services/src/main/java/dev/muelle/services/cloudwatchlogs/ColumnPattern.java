package dev.muelle.services.cloudwatchlogs;

import dev.muelle.services.cloudwatchlogs.Comparison.Value;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Conditions on the columns of a space-delimited message. What stands in brackets or double quotes
 * is one column. The last name takes whatever is left of the message; an ellipsis stands for any
 * number of columns, so that those after it are counted from the end.
 *
 * @param head from the start
 * @param open whether there is an ellipsis after the head
 * @param tail from the end; empty without an ellipsis
 */
record ColumnPattern(List<Named> head, boolean open, List<Named> tail) implements FilterPattern {

  /**
   * One column's condition.
   *
   * @param name null if it has none
   */
  record Named(@Nullable String name, Condition<Value> condition) {}

  private static final Condition<Value> ANY = new Condition<>(any -> true, List.of());

  /**
   * Reads what stands between the brackets.
   *
   * @throws software.amazon.awssdk.services.cloudwatchlogs.model.InvalidParameterException if it is
   *     no pattern
   */
  static FilterPattern parse(String inner) {
    PatternReader in = new PatternReader(inner);
    Expressions expressions = new Expressions(Comparison.MOST_EXPRESSIONS);
    List<Named> head = new ArrayList<>();
    List<Named> tail = new ArrayList<>();
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

  private static Named column(PatternReader in, Expressions expressions) {
    in.skipBlanks();
    if (in.atEnd() || in.peek() == ',') {
      return new Named(null, ANY);
    }
    List<String> names = new ArrayList<>();
    Condition<Value> condition =
        Expression.read(
            in,
            () -> {
              names.add(in.run("-"));
              Comparison comparison = Comparison.read(in, expressions);
              if (comparison != null) {
                return new Condition<>(comparison, comparison.needs());
              }
              return ANY;
            });
    if (names.stream().distinct().count() > 1) {
      throw PatternReader.invalid(); // another column's name
    }
    return new Named(names.getFirst(), condition);
  }

  @Override
  public boolean matches(String message) {
    List<String> texts = texts(message);
    if (texts.size() < head.size() + tail.size()) {
      return false;
    }
    for (int i = 0; i < texts.size(); i++) {
      Named named = at(i, texts.size());
      if (named != null && !named.condition().test().test(Value.of(texts.get(i)))) {
        return false;
      }
    }
    return true;
  }

  /** A column's value stands in the message as it is. */
  @Override
  public List<String> needs() {
    return Stream.concat(head.stream(), tail.stream())
        .flatMap(named -> named.condition().needs().stream())
        .toList();
  }

  /** Columns without a name go by their number. */
  @Override
  public Map<String, String> extracted(String message) {
    List<String> texts = texts(message);
    Map<String, String> extracted = new LinkedHashMap<>();
    for (int i = 0; i < texts.size(); i++) {
      Named named = at(i, texts.size());
      String name = named == null ? null : named.name();
      extracted.put("$" + (name == null ? String.valueOf(i + 1) : name), texts.get(i));
    }
    return extracted;
  }

  @Override
  public @Nullable Selector selector(String text) {
    boolean known =
        text.startsWith("$")
            && Stream.concat(head.stream(), tail.stream())
                .anyMatch(named -> text.substring(1).equals(named.name()));
    return known ? message -> extracted(message).get(text) : null;
  }

  /** What is asked of a column; null within the ellipsis. */
  private @Nullable Named at(int column, int columns) {
    int first = columns - tail.size();
    return column < head.size()
        ? head.get(column)
        : column >= first ? tail.get(column - first) : null;
  }

  /** The columns, of which the last one may be the rest of the message. */
  private List<String> texts(String message) {
    List<Column> columns = columns(message);
    List<String> texts = new ArrayList<>();
    boolean rest = !open && columns.size() > head.size();
    for (Column column : rest ? columns.subList(0, head.size()) : columns) {
      boolean last = rest && texts.size() == head.size() - 1;
      texts.add(last ? message.substring(column.start()) : column.text());
    }
    return texts;
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
