package dev.muelle.region.command;

/** Where {@code ./muelle} hands over. */
public final class Main {

  private Main() {}

  /**
   * Runs one command.
   *
   * @param args the command and its options; see {@code ./muelle help}
   */
  public static void main(String[] args) {
    System.exit(CommandLineRoot.run(args));
  }
}
