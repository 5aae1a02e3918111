package dev.muelle.balancer.rules;

/** What a text can be held against. */
public sealed interface TextPattern permits Wildcard, Regex {

  boolean matches(String text);
}
