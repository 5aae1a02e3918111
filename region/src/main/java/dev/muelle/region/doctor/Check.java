package dev.muelle.region.doctor;

/** One thing that the region needs of its machine. */
interface Check {

  Finding look();

  /** What was found. */
  sealed interface Finding {
    /** It is there. */
    record Has(String what) implements Finding {}

    /**
     * It is not there.
     *
     * @param what one sentence
     * @param mend the command, or what else to do
     * @param needed whether the region cannot run without it
     */
    record Lacks(String what, String mend, boolean needed) implements Finding {}
  }
}
