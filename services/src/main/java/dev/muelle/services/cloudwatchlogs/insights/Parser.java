package dev.muelle.services.cloudwatchlogs.insights;

import com.google.re2j.Pattern;
import dev.muelle.services.cloudwatchlogs.insights.Command.Aggregate;
import dev.muelle.services.cloudwatchlogs.insights.Command.Named;
import dev.muelle.services.cloudwatchlogs.insights.Expression.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads a query. */
final class Parser {

  static final int MOST_LIMIT = 10_000;

  private static final int DEEPEST = 100;
  private static final int MOST_STATS = 2;

  /** What AWS has beside what is read here. */
  private static final Set<String> UNSUPPORTED =
      Set.of(
          "unmask",
          "pattern",
          "diff",
          "anomaly",
          "unnest",
          "filterindex",
          "source",
          "lookup",
          "join",
          "subquery");

  private static final Map<String, Long> UNITS =
      Map.ofEntries(
          Map.entry("ms", 1L),
          Map.entry("msec", 1L),
          Map.entry("s", 1_000L),
          Map.entry("sec", 1_000L),
          Map.entry("m", 60_000L),
          Map.entry("min", 60_000L),
          Map.entry("h", 3_600_000L),
          Map.entry("hr", 3_600_000L),
          Map.entry("d", 86_400_000L),
          Map.entry("day", 86_400_000L),
          Map.entry("w", 604_800_000L),
          Map.entry("wk", 604_800_000L));
  private static final Map<String, Integer> MONTHS =
      Map.of("mo", 1, "mon", 1, "q", 3, "qtr", 3, "y", 12, "yr", 12);

  private final Source in;
  private final double now;

  /** Where aggregates go that are met; null where there may be none. */
  private @Nullable List<Aggregate> aggregates;

  /** Whether aggregates are only names of columns. */
  private boolean naming;

  private int depth;

  private Parser(String text, double now) {
    in = new Source(text);
    this.now = now;
  }

  /**
   * Reads a query.
   *
   * @param nowSeconds what {@code now()} is
   * @throws QueryError if it is none
   */
  static List<Command> parse(String text, long nowSeconds) {
    return new Parser(text, (double) nowSeconds).commands();
  }

  private List<Command> commands() {
    List<Command> commands = new ArrayList<>();
    in.accept("|");
    do {
      commands.add(command());
    } while (in.accept("|"));
    if (!in.atEnd()) {
      throw in.unexpected();
    }
    if (commands.stream().filter(Command.Stats.class::isInstance).count() > MOST_STATS) {
      throw in.error("a query has at most " + MOST_STATS + " stats commands", 0, in.position());
    }
    return commands;
  }

  private Command command() {
    int start = in.position();
    String word = in.name();
    if (word == null) {
      throw in.unexpected();
    }
    return switch (word.toLowerCase(Locale.ROOT)) {
      case "fields" -> new Command.Fields(list());
      case "display" -> new Command.Display(list());
      case "filter", "where" -> new Command.Filter(expression());
      case "stats" -> stats();
      case "sort" -> sort();
      case "limit", "head" -> limit();
      case "dedup" -> new Command.Dedup(list());
      case "parse" -> parse();
      default -> {
        if (UNSUPPORTED.contains(word.toLowerCase(Locale.ROOT))) {
          throw in.error(
              "the command " + word + " is not supported by this region yet", start, in.position());
        }
        throw in.error("unexpected symbol found " + word, start, start + word.length());
      }
    };
  }

  /** Expressions, each with a name of its own or its text for one. */
  private List<Named> list() {
    List<Named> list = new ArrayList<>();
    do {
      int start = in.position();
      Expression expression = expression();
      String text = in.since(start);
      boolean quoted =
          expression instanceof Expression.Field(String field) && text.equals("`" + field + "`");
      String name = quoted ? text.substring(1, text.length() - 1) : text;
      list.add(new Named(in.acceptWord("as") ? in.expectName() : name, expression));
    } while (in.accept(","));
    return list;
  }

  private Command stats() {
    List<Aggregate> gathered = new ArrayList<>();
    aggregates = gathered;
    List<Named> columns = list();
    aggregates = null;
    if (gathered.isEmpty()) {
      throw in.error("stats needs an aggregation function", in.position(), in.position());
    }
    return new Command.Stats(columns, gathered, in.acceptWord("by") ? list() : List.of());
  }

  private Command sort() {
    List<Command.Key> keys = new ArrayList<>();
    do {
      int start = in.position();
      naming = true;
      Expression of = expression();
      naming = false;
      if (!(of instanceof Expression.Field)) {
        of = new Expression.Field(in.since(start)); // count(*), as stats named it
      }
      boolean descending = in.acceptWord("desc");
      if (!descending) {
        in.acceptWord("asc");
      }
      keys.add(new Command.Key(of, descending));
    } while (in.accept(","));
    return new Command.Sort(keys);
  }

  private Command limit() {
    int start = in.position();
    Double most = in.number();
    if (most == null) {
      throw in.unexpected();
    }
    if (most < 1 || most > MOST_LIMIT || most != Math.rint(most)) {
      throw in.error("limit must be between 1 and " + MOST_LIMIT, start, in.position());
    }
    return new Command.Limit(most.intValue());
  }

  private Command parse() {
    Expression of = new Expression.Field("@message");
    int start = in.position();
    if (!in.next("\"") && !in.next("'") && !in.next("/")) {
      of = primary(); // a slash after it is no division
      start = in.position();
    }
    Pattern regex = in.regex();
    if (regex != null) {
      List<String> names = new ArrayList<>();
      Map<String, Integer> groups = regex.namedGroups();
      groups.entrySet().stream()
          .sorted(Map.Entry.comparingByValue())
          .forEach(group -> names.add(group.getKey()));
      if (names.isEmpty() || names.size() != regex.groupCount()) {
        throw in.error("parse needs a name for each group: (?<name>...)", start, in.position());
      }
      return new Command.Parse(of, regex, names);
    }
    String glob = in.quoted();
    if (glob == null) {
      throw in.unexpected();
    }
    Pattern pattern = in.compile(regexOf(glob), start);
    if (!in.acceptWord("as")) {
      throw in.unexpected();
    }
    List<String> names = new ArrayList<>();
    do {
      names.add(in.expectName());
    } while (in.accept(","));
    if (names.size() != pattern.groupCount()) {
      throw in.error(
          "parse has "
              + pattern.groupCount()
              + " wildcards and "
              + names.size()
              + " names for them",
          start,
          in.position());
    }
    return new Command.Parse(of, pattern, names);
  }

  /**
   * A wildcard is as little as possible, the last one of a glob that ends with it all that is left.
   */
  private static String regexOf(String glob) {
    StringBuilder regex = new StringBuilder("(?s)");
    String[] parts = glob.split("\\*", -1);
    for (int i = 0; i < parts.length; i++) {
      if (i > 0) {
        regex.append(i == parts.length - 1 && parts[i].isEmpty() ? "(.*)" : "(.*?)");
      }
      regex.append(Pattern.quote(parts[i]));
    }
    return regex.toString();
  }

  private Expression expression() {
    if (++depth > DEEPEST) {
      throw in.error("the expression is nested too deeply", in.position(), in.position());
    }
    Expression left = conjunction();
    while (in.acceptWord("or")) {
      left = new Expression.Or(left, conjunction());
    }
    depth--;
    return left;
  }

  private Expression conjunction() {
    Expression left = negation();
    while (in.acceptWord("and")) {
      left = new Expression.And(left, negation());
    }
    return left;
  }

  private Expression negation() {
    if (!in.acceptWord("not")) {
      return comparison();
    }
    if (++depth > DEEPEST) {
      throw in.error("the expression is nested too deeply", in.position(), in.position());
    }
    Expression of = negation();
    depth--;
    return new Expression.Not(of);
  }

  private Expression comparison() {
    Expression left = sum();
    if (in.accept("=~")) {
      return like(left);
    }
    for (String operator : List.of("!=", "<=", ">=", "=", "<", ">")) {
      if (in.accept(operator)) {
        return new Expression.Compare(operator, left, sum());
      }
    }
    if (in.acceptWord("like")) {
      return like(left);
    }
    if (in.acceptWords("not", "like")) {
      return new Expression.Not(like(left));
    }
    if (in.acceptWord("in")) {
      return in(left);
    }
    if (in.acceptWords("not", "in")) {
      return new Expression.Not(in(left));
    }
    return left;
  }

  private Expression like(Expression left) {
    Pattern pattern = in.regex();
    return pattern == null
        ? new Expression.Contains(left, sum())
        : new Expression.Like(left, pattern);
  }

  private Expression in(Expression left) {
    in.expect("[");
    List<Expression> list = new ArrayList<>();
    do {
      list.add(sum());
    } while (in.accept(","));
    in.expect("]");
    return new Expression.In(left, list);
  }

  private Expression sum() {
    Expression left = product();
    while (true) {
      if (in.accept("+")) {
        left = new Expression.Arithmetic('+', left, product());
      } else if (in.accept("-")) {
        left = new Expression.Arithmetic('-', left, product());
      } else {
        return left;
      }
    }
  }

  private Expression product() {
    Expression left = power();
    while (true) {
      if (in.accept("*")) {
        left = new Expression.Arithmetic('*', left, power());
      } else if (in.accept("/")) {
        left = new Expression.Arithmetic('/', left, power());
      } else if (in.accept("%")) {
        left = new Expression.Arithmetic('%', left, power());
      } else {
        return left;
      }
    }
  }

  private Expression power() {
    Expression left = unary();
    return in.accept("^") ? new Expression.Arithmetic('^', left, power()) : left;
  }

  private Expression unary() {
    return in.accept("-")
        ? new Expression.Arithmetic('-', new Expression.Constant(0.0), primary())
        : primary();
  }

  private Expression primary() {
    if (in.accept("(")) {
      Expression inner = expression();
      in.expect(")");
      return inner;
    }
    Double number = in.number();
    if (number != null) {
      return new Expression.Constant(number);
    }
    String text = in.quoted();
    if (text != null) {
      return new Expression.Constant(text);
    }
    int start = in.position();
    String name = in.expectName();
    if (!in.accept("(")) {
      return switch (name.toLowerCase(Locale.ROOT)) {
        case "true" -> new Expression.Constant(true);
        case "false" -> new Expression.Constant(false);
        default -> new Expression.Field(in.pathFrom(name));
      };
    }
    Expression call = call(name.toLowerCase(Locale.ROOT), name, start);
    in.expect(")");
    return call;
  }

  /** After the parenthesis. */
  private Expression call(String name, String written, int start) {
    Aggregation aggregation = Aggregation.of(name);
    if (aggregation != null) {
      return aggregate(aggregation, start);
    }
    switch (name) {
      case "bin" -> {
        return new Expression.Bin(duration(), new Expression.Field("@timestamp"));
      }
      case "datefloor", "dateceil" -> {
        Expression of = expression();
        in.expect(",");
        Duration period = duration();
        return name.equals("datefloor")
            ? new Expression.Bin(period, of)
            : new Expression.Call(
                arguments -> {
                  Double millis = Values.number(arguments.first());
                  return millis == null ? null : Functions.ceil(millis.longValue(), period);
                },
                List.of(of));
      }
      case "now" -> {
        return new Expression.Constant(now);
      }
      default -> {}
    }
    Functions.Known known = Functions.ALL.get(name);
    if (known == null) {
      throw in.error("unknown function " + written, start, start + written.length());
    }
    List<Expression> arguments = new ArrayList<>();
    if (!in.next(")")) {
      do {
        arguments.add(expression());
      } while (in.accept(","));
    }
    if (arguments.size() < known.least() || arguments.size() > known.most()) {
      throw in.error(
          written + " does not take " + arguments.size() + " arguments", start, in.position());
    }
    return new Expression.Call(known.function(), arguments);
  }

  private Expression aggregate(Aggregation kind, int start) {
    List<Aggregate> into = aggregates;
    if (into == null && !naming) {
      throw in.error("aggregation functions belong to stats", start, in.position());
    }
    if (into == null) {
      // sort may name a column by its text.
      while (!in.next(")")) {
        if (!in.accept("*") && !in.accept(",")) {
          expression();
        }
      }
      return new Expression.Constant("");
    }
    Expression of = null;
    double percentile = 0;
    boolean all = kind == Aggregation.COUNT && (in.accept("*") || in.next(")"));
    if (!all) {
      aggregates = null; // none within another
      of = expression();
      aggregates = into;
      if (kind == Aggregation.PCT) {
        in.expect(",");
        Double percent = in.number();
        if (percent == null || percent < 0 || percent > 100) {
          throw in.error("a percentile is between 0 and 100", start, in.position());
        }
        percentile = percent;
      }
    }
    into.add(new Aggregate(kind, of, percentile));
    return new Expression.Aggregate(into.size() - 1);
  }

  /** For example {@code 5m}; of one unit if there is no number. */
  private Duration duration() {
    int start = in.position();
    Double number = in.number();
    String unit = in.expectName().toLowerCase(Locale.ROOT);
    String one =
        unit.length() > 3 || (unit.length() == 3 && unit.endsWith("s") && !unit.equals("sec"))
            ? singular(unit)
            : unit;
    Long millis = UNITS.get(one);
    Integer months = MONTHS.get(one);
    double many = number == null ? 1 : number;
    boolean whole = many >= 1 && many <= 10_000 && many == Math.rint(many);
    if (whole && months != null) {
      return new Duration(0, months * (int) many);
    }
    if (whole && millis != null) {
      return new Duration(millis * (long) many, 0);
    }
    throw in.error("invalid period", start, in.position());
  }

  private static String singular(String unit) {
    return switch (unit) {
      case "milliseconds", "millisecond", "msecs" -> "ms";
      case "seconds", "second", "secs" -> "s";
      case "minutes", "minute", "mins" -> "m";
      case "hours", "hour", "hrs" -> "h";
      case "days" -> "d";
      case "weeks", "week", "wks" -> "w";
      case "months", "month", "mons", "mos" -> "mo";
      case "quarters", "quarter", "qtrs" -> "q";
      case "years", "year", "yrs" -> "y";
      default -> unit;
    };
  }
}
