package dev.muelle.services.cloudwatchlogs.insights;

import dev.muelle.services.cloudwatchlogs.insights.Command.Named;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A query that runs: events go in, the newest first, and a table comes out. Not for two threads.
 *
 * <p>Memory is bounded: rows that wait to be sorted, and groups, are limited in number.
 */
public final class Query {

  private static final int MOST_ROWS = 500_000;
  private static final List<String> SHOWN = List.of("@timestamp", "@message");
  private static final String POINTER = "@ptr";

  private final int shown;
  private final List<Command> commands;
  private final Set<String> columns = new LinkedHashSet<>();
  private final List<Row> rows = new ArrayList<>();
  private final Stage first;
  private boolean displayed;
  private boolean grouped;
  private long matched;

  /** What rows run through. */
  private interface Stage {
    void row(Row row);

    void end();
  }

  private Query(List<Command> commands, int most) {
    this.commands = commands;
    // A query's own limit stands before the request's.
    shown = commands.stream().anyMatch(Command.Limit.class::isInstance) ? Parser.MOST_LIMIT : most;
    commands.forEach(this::note);
    Stage stage = new Last();
    int filters = lastFilter();
    for (int i = commands.size() - 1; i >= 0; i--) {
      if (i == filters) {
        stage = new Counting(stage);
      }
      stage = stage(commands.get(i), stage, i);
    }
    first = filters < 0 ? new Counting(stage) : stage;
  }

  /**
   * Reads a query.
   *
   * @param most how many rows it gives at most, unless it says so itself
   * @param nowSeconds what {@code now()} is
   * @throws QueryError if it is none
   */
  public static Query parse(String text, int most, long nowSeconds) {
    return new Query(Parser.parse(text, nowSeconds), most);
  }

  /** What matched is what the leading filters let through. */
  private int lastFilter() {
    int last = -1;
    for (int i = 0; i < commands.size() && !(commands.get(i) instanceof Command.Stats); i++) {
      if (commands.get(i) instanceof Command.Filter) {
        last = i;
      }
    }
    return last;
  }

  /** Which columns a command shows. */
  private void note(Command command) {
    switch (command) {
      case Command.Fields(List<Named> fields) -> {
        if (!displayed) {
          fields.forEach(field -> columns.add(field.name()));
        }
      }
      case Command.Display(List<Named> fields) -> {
        columns.clear();
        fields.forEach(field -> columns.add(field.name()));
        displayed = true;
      }
      case Command.Stats stats -> {
        columns.clear();
        stats.by().forEach(field -> columns.add(field.name()));
        stats.columns().forEach(column -> columns.add(column.name()));
        displayed = false;
        grouped = true;
      }
      case Command.Parse parse -> {
        if (!displayed && !columns.isEmpty()) {
          columns.addAll(parse.names());
        }
      }
      case Command.Filter _ -> {}
      case Command.Sort _ -> {}
      case Command.Limit _ -> {}
      case Command.Dedup _ -> {}
    }
  }

  private Stage stage(Command command, Stage then, int place) {
    return switch (command) {
      case Command.Fields(List<Named> fields) -> computing(fields, then);
      case Command.Display(List<Named> fields) -> computing(fields, then);
      case Command.Filter(Expression condition) ->
          new Each(then) {
            @Override
            public void row(Row row) {
              if (Values.truth(condition.of(row))) {
                then.row(row);
              }
            }
          };
      case Command.Parse parse -> parsing(parse, then);
      case Command.Dedup(List<Named> fields) -> new Dedup(fields, then);
      case Command.Limit(int limit) -> new Limit(limit, then);
      case Command.Sort(List<Command.Key> keys) -> new Sort(keys, kept(place), then);
      case Command.Stats stats -> new Stats(stats, then);
    };
  }

  private static Stage computing(List<Named> fields, Stage then) {
    return new Each(then) {
      @Override
      public void row(Row row) {
        for (Named field : fields) {
          boolean plain =
              field.expression() instanceof Expression.Field(String name)
                  && name.equals(field.name());
          if (!plain) {
            row.put(field.name(), field.expression().of(row));
          }
        }
        then.row(row);
      }
    };
  }

  private static Stage parsing(Command.Parse parse, Stage then) {
    return new Each(then) {
      @Override
      public void row(Row row) {
        Object value = parse.of().of(row);
        var matcher = value == null ? null : parse.pattern().matcher(Values.text(value));
        if (matcher != null && matcher.find()) {
          for (int i = 0; i < parse.names().size(); i++) {
            row.put(parse.names().get(i), matcher.group(i + 1));
          }
        }
        then.row(row);
      }
    };
  }

  /** How many sorted rows can matter: as many as are shown, unless others are made of them. */
  private int kept(int place) {
    int kept = shown;
    for (Command after : commands.subList(place + 1, commands.size())) {
      switch (after) {
        case Command.Limit _ -> {}
        case Command.Fields _ -> {}
        case Command.Display _ -> {}
        case Command.Parse _ -> {}
        case Command.Filter _ -> kept = MOST_ROWS;
        case Command.Sort _ -> kept = MOST_ROWS;
        case Command.Stats _ -> kept = MOST_ROWS;
        case Command.Dedup _ -> kept = MOST_ROWS;
      }
    }
    return kept;
  }

  /** Takes an event. */
  public void take(Row event) {
    first.row(event);
  }

  /** How many events the filters have let through. */
  public long matched() {
    return matched;
  }

  /** Each row's columns and what is in them, after the last event. */
  public List<Map<String, String>> end() {
    first.end();
    List<Map<String, String>> table = new ArrayList<>();
    for (Row row : rows) {
      Map<String, String> shown = new LinkedHashMap<>();
      for (String column : columns.isEmpty() ? SHOWN : columns) {
        Object value = row.get(column);
        if (value != null) {
          shown.put(column, Values.text(value));
        }
      }
      if (!grouped && row.get(POINTER) instanceof String pointer) {
        shown.put(POINTER, pointer);
      }
      table.add(shown);
    }
    return table;
  }

  /** Collects what is shown. */
  private final class Last implements Stage {
    @Override
    public void row(Row row) {
      if (rows.size() < shown) {
        rows.add(row);
      }
    }

    @Override
    public void end() {}
  }

  /** A stage that looks at one row at a time. */
  private abstract static class Each implements Stage {
    final Stage then;

    Each(Stage then) {
      this.then = then;
    }

    @Override
    public void end() {
      then.end();
    }
  }

  private final class Counting extends Each {
    Counting(Stage then) {
      super(then);
    }

    @Override
    public void row(Row row) {
      matched++;
      then.row(row);
    }
  }

  private static final class Limit extends Each {
    private final int most;
    private int passed;

    Limit(int most, Stage then) {
      super(then);
      this.most = most;
    }

    @Override
    public void row(Row row) {
      if (passed < most) {
        passed++;
        then.row(row);
      }
    }
  }

  private static final class Dedup extends Each {
    private final List<Named> fields;
    private final Set<List<@Nullable Object>> seen = new HashSet<>();

    Dedup(List<Named> fields, Stage then) {
      super(then);
      this.fields = fields;
    }

    /** Rows that lack a field are all kept. */
    @Override
    public void row(Row row) {
      List<@Nullable Object> key = new ArrayList<>();
      for (Named field : fields) {
        Object value = field.expression().of(row);
        key.add(value == null ? null : Values.text(value));
      }
      if (key.contains(null)) {
        then.row(row);
        return;
      }
      if (seen.size() >= MOST_ROWS) {
        throw new QueryError("dedup has more than " + MOST_ROWS + " different rows", 0, 0);
      }
      if (seen.add(key)) {
        then.row(row);
      }
    }
  }

  private static final class Sort implements Stage {
    private final Comparator<Row> order;
    private final int kept;
    private final Stage then;
    private List<Row> waiting = new ArrayList<>();

    Sort(List<Command.Key> keys, int kept, Stage then) {
      this.kept = kept;
      this.then = then;
      Comparator<Row> order = (_, _) -> 0;
      for (Command.Key key : keys) {
        // what is not there comes last, in either direction
        Comparator<Object> values = key.descending() ? Values.ORDER.reversed() : Values.ORDER;
        order = order.thenComparing(row -> key.of().of(row), Comparator.nullsLast(values));
      }
      this.order = order;
    }

    @Override
    public void row(Row row) {
      waiting.add(row);
      if (kept == MOST_ROWS && waiting.size() > MOST_ROWS) {
        throw new QueryError("sort has more than " + MOST_ROWS + " rows", 0, 0);
      }
      if (waiting.size() > 2 * kept + 1_000) {
        waiting.sort(order);
        waiting = new ArrayList<>(waiting.subList(0, kept));
      }
    }

    @Override
    public void end() {
      waiting.sort(order);
      waiting.forEach(then::row);
      then.end();
    }
  }

  private static final class Stats implements Stage {
    private final Command.Stats stats;
    private final Stage then;
    private final Map<List<@Nullable Object>, List<Aggregation.Gathered>> groups =
        new LinkedHashMap<>();

    Stats(Command.Stats stats, Stage then) {
      this.stats = stats;
      this.then = then;
      if (stats.by().isEmpty()) {
        groups.put(List.of(), gathered());
      }
    }

    private List<Aggregation.Gathered> gathered() {
      return stats.aggregates().stream().map(Aggregation.Gathered::new).toList();
    }

    @Override
    public void row(Row row) {
      List<@Nullable Object> key = new ArrayList<>();
      stats.by().forEach(field -> key.add(field.expression().of(row)));
      List<Aggregation.Gathered> group = groups.get(key);
      if (group == null) {
        if (groups.size() >= MOST_ROWS) {
          throw new QueryError("stats has more than " + MOST_ROWS + " groups", 0, 0);
        }
        group = gathered();
        groups.put(key, group);
      }
      group.forEach(each -> each.add(row));
    }

    @Override
    public void end() {
      groups.forEach((key, group) -> {
        Row row = new Row();
        for (int i = 0; i < stats.by().size(); i++) {
          row.put(stats.by().get(i).name(), key.get(i));
        }
        for (Named column : stats.columns()) {
          row.put(column.name(), column.expression().of(row, place -> group.get(place).value()));
        }
        then.row(row);
      });
      then.end();
    }
  }
}
