package dev.muelle.services.cloudwatch.math;

import dev.muelle.services.cloudwatch.series.Metric;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import software.amazon.awssdk.services.cloudwatch.model.Dimension;

/**
 * The language of SEARCH: {@code {Namespace,Dimension} word MetricName="Exact" (a OR NOT b)}. A
 * word matches what contains its parts, where parts are cut at punctuation and where lower case is
 * followed by upper case; what stands in quotes matches exactly.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/search-expression-syntax.html">CloudWatch
 *     search expression syntax</a>
 */
final class Search {

  /** How many characters a search may have. */
  static final int LONGEST = 1_024;

  private static final Pattern TOKEN =
      Pattern.compile("\\s*(\\(|\\)|=|\"(?:[^\"\\\\]|\\\\.)*\"|[^\\s()=\"]+)");
  private static final Pattern SCHEMA = Pattern.compile("\\s*\\{([^}]*)\\}(.*)", Pattern.DOTALL);
  private static final Pattern PARTS =
      Pattern.compile("[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\\d+|[^\\x00-\\x7F]+");

  private final List<String> tokens = new ArrayList<>();
  private int at;

  private Search(String terms) {
    Matcher matcher = TOKEN.matcher(terms);
    int end = 0;
    while (matcher.lookingAt()) {
      tokens.add(matcher.group(1));
      end = matcher.end();
      matcher.region(end, terms.length());
    }
    if (!terms.substring(end).isBlank()) {
      throw new MathException("Invalid syntax in SEARCH at '" + terms.substring(end) + "'");
    }
  }

  /**
   * Reads a search.
   *
   * @throws MathException if it is none
   */
  static Predicate<Metric> parse(String query) {
    if (query.length() > LONGEST) {
      throw new MathException("A SEARCH has at most " + LONGEST + " characters");
    }
    Matcher schema = SCHEMA.matcher(query);
    Predicate<Metric> matches = metric -> true;
    String terms = query;
    if (schema.matches()) {
      matches = schema(schema.group(1));
      terms = schema.group(2);
    }
    Search search = new Search(terms);
    if (search.tokens.isEmpty()) {
      if (terms.equals(query)) {
        throw new MathException("SEARCH looks for nothing");
      }
      return matches;
    }
    Predicate<Metric> found = search.any();
    if (search.at < search.tokens.size()) {
      throw new MathException("Invalid syntax in SEARCH at '" + search.tokens.get(search.at) + "'");
    }
    return matches.and(found);
  }

  /** Exactly these dimensions. */
  private static Predicate<Metric> schema(String text) {
    List<String> names = new ArrayList<>();
    for (String name : text.split(",", -1)) {
      names.add(unquoted(name.strip()));
    }
    String namespace = names.getFirst();
    Set<String> dimensions = new HashSet<>(names.subList(1, names.size()));
    if (namespace.isEmpty() || dimensions.contains("")) {
      throw new MathException("Invalid schema in SEARCH: {" + text + "}");
    }
    return metric ->
        metric.namespace().equals(namespace)
            && metric.dimensions().size() == dimensions.size()
            && metric.dimensions().stream().map(Dimension::name).allMatch(dimensions::contains);
  }

  private Predicate<Metric> any() {
    Predicate<Metric> left = all();
    while (is("OR")) {
      at++;
      left = left.or(all());
    }
    return left;
  }

  private Predicate<Metric> all() {
    Predicate<Metric> left = one();
    while (at < tokens.size() && !is("OR") && !is(")")) {
      if (is("AND")) {
        at++;
      }
      left = left.and(one());
    }
    return left;
  }

  private Predicate<Metric> one() {
    if (at >= tokens.size()) {
      throw new MathException("A SEARCH ends where a term is expected");
    }
    String token = tokens.get(at++);
    switch (token) {
      case "NOT" -> {
        return one().negate();
      }
      case "(" -> {
        Predicate<Metric> inner = any();
        if (!is(")")) {
          throw new MathException("A parenthesis of SEARCH is not closed");
        }
        at++;
        return inner;
      }
      case ")", "=", "OR", "AND" ->
          throw new MathException("Invalid syntax in SEARCH at '" + token + "'");
      default -> {}
    }
    if (is("=")) {
      at++;
      return designated(unquoted(token), values());
    }
    Predicate<String> term = term(token);
    return metric ->
        Stream.concat(
                Stream.of(metric.namespace(), metric.name()),
                metric.dimensions().stream().flatMap(d -> Stream.of(d.name(), d.value())))
            .anyMatch(term);
  }

  /** What stands behind a designator: a term, or several in parentheses. */
  private Predicate<String> values() {
    if (is("(")) {
      at++;
      Predicate<String> any = text -> false;
      while (!is(")")) {
        if (at >= tokens.size()) {
          throw new MathException("A parenthesis of SEARCH is not closed");
        }
        if (!is("OR")) {
          any = any.or(term(tokens.get(at)));
        }
        at++;
      }
      at++;
      return any;
    }
    if (at >= tokens.size()) {
      throw new MathException("A SEARCH ends where a value is expected");
    }
    return term(tokens.get(at++));
  }

  private static Predicate<Metric> designated(String property, Predicate<String> term) {
    return switch (property) {
      case "Namespace" -> metric -> term.test(metric.namespace());
      case "MetricName" -> metric -> term.test(metric.name());
      case ":aws.AccountId" ->
          throw new MathException("Searching other accounts is not supported by this region yet");
      default ->
          metric ->
              metric.dimensions().stream()
                  .anyMatch(d -> d.name().equals(property) && term.test(d.value()));
    };
  }

  private static Predicate<String> term(String token) {
    if (token.startsWith("\"")) {
      String exact = unquoted(token);
      return exact::equals;
    }
    List<String> wanted = parts(token);
    String lower = token.toLowerCase(Locale.ROOT);
    return text -> {
      String whole = text.toLowerCase(Locale.ROOT);
      return whole.equals(lower)
          || (!wanted.isEmpty()
              && (Collections.indexOfSubList(parts(text), wanted) >= 0
                  || words(text).contains(lower)));
    };
  }

  /** {@code my.customCount_9} has the parts my, custom, count and 9. */
  private static List<String> parts(String text) {
    return PARTS
        .matcher(text)
        .results()
        .map(part -> part.group().toLowerCase(Locale.ROOT))
        .toList();
  }

  private static List<String> words(String text) {
    return List.of(text.toLowerCase(Locale.ROOT).split("[^\\p{L}\\p{N}]+"));
  }

  private static String unquoted(String token) {
    boolean quoted = token.length() > 1 && token.startsWith("\"") && token.endsWith("\"");
    return quoted ? token.substring(1, token.length() - 1).replaceAll("\\\\(.)", "$1") : token;
  }

  private boolean is(String token) {
    return at < tokens.size() && tokens.get(at).equals(token);
  }
}
