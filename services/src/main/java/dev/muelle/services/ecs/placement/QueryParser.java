package dev.muelle.services.ecs.placement;

import dev.muelle.services.ecs.placement.QueryNode.Order;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import software.amazon.awssdk.services.ecs.model.InvalidParameterException;

/**
 * Reads a cluster query, by recursive descent:
 *
 * <pre>
 * expression = term { ("||" | "or") term }
 * term       = factor { ("&amp;&amp;" | "and") factor }
 * factor     = ("!" | "not") factor | "(" expression ")" | subject operator [ argument ]
 * argument   = word | quoted | "[" argument { "," argument } "]"
 * </pre>
 *
 * A bare word ends at white space, a parenthesis, {@code &&} or {@code ||}; in a list also at a
 * comma or bracket. What must contain one of these stands in single or double quotes.
 */
final class QueryParser {

  private static final int MOST_CHARACTERS = 2_000;
  private static final int DEEPEST = 50;
  private static final int MOST_ARGUMENTS = 500;
  private static final String ATTRIBUTE = "attribute:";

  /** What can be done with a subject. */
  private enum Operator {
    EQUAL("==", "equals"),
    NOT_EQUAL("!=", "not_equals"),
    GREATER_OR_EQUAL(">=", "greater_than_equal"),
    GREATER(">", "greater_than"),
    LESS_OR_EQUAL("<=", "less_than_equal"),
    LESS("<", "less_than"),
    NOT_EXISTS("!exists", "not_exists"),
    EXISTS("exists", "exists"),
    NOT_IN("!in", "not_in"),
    IN("in", "in"),
    MATCHES("=~", "matches"),
    NOT_MATCHES("!~", "not_matches");

    private final String sign;
    private final String word;

    Operator(String sign, String word) {
      this.sign = sign;
      this.word = word;
    }

    boolean negated() {
      return switch (this) {
        case NOT_EQUAL, NOT_IN, NOT_MATCHES, NOT_EXISTS -> true;
        case EQUAL, GREATER_OR_EQUAL, GREATER, LESS_OR_EQUAL, LESS, EXISTS, IN, MATCHES -> false;
      };
    }
  }

  private static final Set<Operator> TEXT =
      Set.of(
          Operator.EQUAL,
          Operator.NOT_EQUAL,
          Operator.IN,
          Operator.NOT_IN,
          Operator.MATCHES,
          Operator.NOT_MATCHES);
  private static final Set<Operator> ORDER =
      Set.of(
          Operator.EQUAL,
          Operator.NOT_EQUAL,
          Operator.GREATER,
          Operator.GREATER_OR_EQUAL,
          Operator.LESS,
          Operator.LESS_OR_EQUAL);
  private static final Set<Operator> EXISTENCE = Set.of(Operator.EXISTS, Operator.NOT_EXISTS);

  private final String text;
  private int at;
  private int depth;

  QueryParser(String text) {
    this.text = text;
  }

  QueryNode parse() {
    if (text.length() > MOST_CHARACTERS) {
      throw ClusterQuery.invalid(
          "it has " + text.length() + " characters, and at most 2000 are allowed.");
    }
    QueryNode node = expression();
    skipSpace();
    if (at < text.length()) {
      throw unexpected("the end of the expression");
    }
    return node;
  }

  private QueryNode expression() {
    QueryNode left = term();
    while (accept("||") || acceptWord("or")) {
      left = new QueryNode.Or(left, term());
    }
    return left;
  }

  private QueryNode term() {
    QueryNode left = factor();
    while (accept("&&") || acceptWord("and")) {
      left = new QueryNode.And(left, factor());
    }
    return left;
  }

  private QueryNode factor() {
    if (++depth > DEEPEST) {
      throw ClusterQuery.invalid("it is nested more than " + DEEPEST + " levels deep.");
    }
    try {
      if (accept("!") || acceptWord("not")) {
        return new QueryNode.Not(factor());
      }
      if (accept("(")) {
        QueryNode inner = expression();
        if (!accept(")")) {
          throw unexpected("')'");
        }
        return inner;
      }
      return comparison();
    } finally {
      depth--;
    }
  }

  private QueryNode comparison() {
    String subject = subject();
    if (subject.startsWith(ATTRIBUTE)) {
      return attribute(subject.substring(ATTRIBUTE.length()));
    }
    return switch (subject) {
      case "task:group" -> {
        Operator operator = operator(subject, TEXT, EXISTENCE);
        yield EXISTENCE.contains(operator)
            ? new QueryNode.GroupExists(operator.negated())
            : new QueryNode.GroupIs(operator.negated(), test(operator));
      }
      case "ec2InstanceId" -> {
        Operator operator = operator(subject, TEXT);
        yield new QueryNode.InstanceIdIs(operator.negated(), test(operator));
      }
      case "agentConnected" -> {
        Operator operator = operator(subject, TEXT);
        yield new QueryNode.ConnectedIs(operator.negated(), test(operator));
      }
      case "agentVersion" -> {
        Operator operator = operator(subject, ORDER);
        yield new QueryNode.VersionIs(order(operator), argument());
      }
      case "registeredAt" -> {
        Operator operator = operator(subject, ORDER);
        yield new QueryNode.RegisteredIs(order(operator), date(argument()));
      }
      case "runningTasksCount" -> {
        Operator operator = operator(subject, ORDER);
        yield new QueryNode.RunningIs(order(operator), count(argument()));
      }
      default -> throw ClusterQuery.invalid("the subject '" + subject + "' is not known.");
    };
  }

  private QueryNode attribute(String name) {
    if (name.isEmpty()) {
      throw ClusterQuery.invalid("an attribute's name is missing after 'attribute:'.");
    }
    Operator operator = operator(ATTRIBUTE + name, TEXT, ORDER, EXISTENCE);
    if (EXISTENCE.contains(operator)) {
      return new QueryNode.AttributeExists(name, operator.negated());
    }
    return TEXT.contains(operator)
        ? new QueryNode.AttributeIs(name, operator.negated(), test(operator))
        : new QueryNode.AttributeIs(
            name, false, new QueryNode.Ordered(order(operator), argument()));
  }

  /** What {@code ==}, {@code in} and {@code =~} ask of a text; their opposites negate it. */
  private Predicate<String> test(Operator operator) {
    return switch (operator) {
      case EQUAL, NOT_EQUAL -> new QueryNode.OneOf(List.of(argument()));
      case IN, NOT_IN -> new QueryNode.OneOf(list());
      case MATCHES, NOT_MATCHES ->
          new QueryNode.Remembered(new QueryNode.Matches(pattern(argument())));
      case EXISTS, NOT_EXISTS, GREATER, GREATER_OR_EQUAL, LESS, LESS_OR_EQUAL ->
          throw new IllegalStateException(operator + " asks nothing of a text");
    };
  }

  private static Order order(Operator operator) {
    return switch (operator) {
      case EQUAL -> Order.EQUAL;
      case NOT_EQUAL -> Order.NOT_EQUAL;
      case GREATER -> Order.GREATER;
      case GREATER_OR_EQUAL -> Order.GREATER_OR_EQUAL;
      case LESS -> Order.LESS;
      case LESS_OR_EQUAL -> Order.LESS_OR_EQUAL;
      case EXISTS, NOT_EXISTS, IN, NOT_IN, MATCHES, NOT_MATCHES ->
          throw new IllegalStateException(operator + " does not order");
    };
  }

  private static Pattern pattern(String regex) {
    try {
      return Pattern.compile(regex);
    } catch (PatternSyntaxException e) {
      throw ClusterQuery.invalid(
          "'" + regex + "' is not a regular expression: " + e.getDescription() + ".");
    }
  }

  private static Instant date(String argument) {
    try {
      if (argument.length() == "2018-06-18".length()) {
        return LocalDate.parse(argument).atStartOfDay().toInstant(ZoneOffset.UTC);
      }
      return argument.length() == "2018-06-18T22:28:28".length()
          ? LocalDateTime.parse(argument).toInstant(ZoneOffset.UTC)
          : OffsetDateTime.parse(argument).toInstant();
    } catch (DateTimeParseException e) {
      throw ClusterQuery.invalid(
          "'" + argument + "' is not a date such as 2018-06-18 or 2018-06-18T22:28:28Z.");
    }
  }

  private static long count(String argument) {
    try {
      return Long.parseLong(argument);
    } catch (NumberFormatException e) {
      throw ClusterQuery.invalid("'" + argument + "' is not a number of tasks.");
    }
  }

  private String subject() {
    skipSpace();
    int from = at;
    while (at < text.length() && isNameCharacter(text.charAt(at))) {
      at++;
    }
    if (from == at) {
      throw unexpected("a subject");
    }
    return text.substring(from, at);
  }

  private static boolean isNameCharacter(char c) {
    return (c >= 'a' && c <= 'z')
        || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9')
        || "-_/\\.:".indexOf(c) >= 0;
  }

  @SafeVarargs
  private final Operator operator(String subject, Set<Operator>... allowed) {
    for (Operator operator : Operator.values()) {
      if (acceptOperator(operator)) {
        for (Set<Operator> set : allowed) {
          if (set.contains(operator)) {
            return operator;
          }
        }
        throw ClusterQuery.invalid(
            "the operator '" + operator.sign + "' is not valid for '" + subject + "'.");
      }
    }
    throw unexpected("an operator");
  }

  private boolean acceptOperator(Operator operator) {
    boolean signIsWord = Character.isLetter(operator.sign.charAt(operator.sign.length() - 1));
    return (signIsWord ? acceptWord(operator.sign) : accept(operator.sign))
        || acceptWord(operator.word);
  }

  private String argument() {
    return argument(false);
  }

  private List<String> list() {
    if (!accept("[")) {
      throw unexpected("'[' and a list of arguments");
    }
    List<String> arguments = new ArrayList<>();
    do {
      arguments.add(argument(true));
      if (arguments.size() > MOST_ARGUMENTS) {
        throw ClusterQuery.invalid("a list has more than " + MOST_ARGUMENTS + " arguments.");
      }
    } while (accept(","));
    if (!accept("]")) {
      throw unexpected("',' or ']'");
    }
    return List.copyOf(arguments);
  }

  private String argument(boolean inList) {
    skipSpace();
    if (at < text.length() && (text.charAt(at) == '\'' || text.charAt(at) == '"')) {
      return quoted(text.charAt(at));
    }
    int from = at;
    while (at < text.length() && !endsWord(inList)) {
      at++;
    }
    if (from == at) {
      throw unexpected("an argument");
    }
    return text.substring(from, at);
  }

  private boolean endsWord(boolean inList) {
    char c = text.charAt(at);
    return Character.isWhitespace(c)
        || c == '('
        || c == ')'
        || text.startsWith("&&", at)
        || text.startsWith("||", at)
        || (inList && (c == ',' || c == '[' || c == ']'));
  }

  private String quoted(char quote) {
    int from = ++at;
    int end = text.indexOf(quote, from);
    if (end < 0) {
      throw ClusterQuery.invalid("a quotation is not closed.");
    }
    at = end + 1;
    return text.substring(from, end);
  }

  private void skipSpace() {
    while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
      at++;
    }
  }

  private boolean accept(String sign) {
    skipSpace();
    if (!text.startsWith(sign, at)) {
      return false;
    }
    at += sign.length();
    return true;
  }

  /** As {@link #accept}, but a longer word that begins so is another one. */
  private boolean acceptWord(String word) {
    skipSpace();
    int end = at + word.length();
    if (!text.startsWith(word, at) || (end < text.length() && isNameCharacter(text.charAt(end)))) {
      return false;
    }
    at = end;
    return true;
  }

  private InvalidParameterException unexpected(String expected) {
    String found =
        at < text.length()
            ? "'" + text.substring(at, Math.min(at + 20, text.length())) + "'"
            : "the end";
    return ClusterQuery.invalid(
        "expected " + expected + " at position " + at + ", found " + found + ".");
  }
}
