/* What few libraries have and PyGObject can call; GijitUnusual-1.0.gir describes it.
 *
 * The description is written by hand: g-ir-scanner would make pointers of what Vala's compiler, for
 * one, describes as structs that are passed by value. */
#include <glib.h>

typedef struct {
    gint64 first;
    gint64 second;
    gint64 third;
} GijitUnusualTriple;

typedef gint (*GijitUnusualFunc) (gint number, gpointer data);
typedef gint64 (*GijitUnusualTripleFunc) (GijitUnusualTriple *triple, gpointer data);

gint64
gijit_unusual_sum (GijitUnusualTriple *triple)
{
    return triple ? triple->first + triple->second + triple->third : -1;
}

gint64
gijit_unusual_sum_by (GijitUnusualTripleFunc func, gpointer data)
{
    GijitUnusualTriple triple = { 1, 2, 3 };
    return func (&triple, data);
}

/* PyGObject takes the first word of the struct for its address: NULL here. */
gint64
gijit_unusual_change_by (GijitUnusualTripleFunc func, gpointer data)
{
    GijitUnusualTriple triple = { 0, 2, 3 };
    gint64 result = func ? func (&triple, data) : 0;
    return 1000 * result + gijit_unusual_sum (&triple);
}

/* The strings of all lists; PyGObject cannot pass any. */
gint
gijit_unusual_count_all (const gchar *const *const *lists)
{
    gint count = 0;
    for (; lists && *lists; lists++)
        count += g_strv_length ((gchar **) *lists);
    return count;
}

gint
gijit_unusual_both (gint number, GijitUnusualFunc one, GijitUnusualFunc two, gpointer data)
{
    gint sum = one ? one (number, data) : 0;
    return sum + (two ? 10 * two (number, data) : 0);
}

static GijitUnusualFunc kept[2];
static gpointer kept_data;
static GDestroyNotify kept_destroy;

/* Whether there was something to give back. */
gboolean
gijit_unusual_forget (void)
{
    gboolean found = kept_destroy != NULL && kept_data != NULL;
    if (found)
        kept_destroy (kept_data);
    kept[0] = kept[1] = NULL;
    kept_data = NULL;
    kept_destroy = NULL;
    return found;
}

void
gijit_unusual_keep (GijitUnusualFunc one, GijitUnusualFunc two, gpointer data, GDestroyNotify destroy)
{
    gijit_unusual_forget ();
    kept[0] = one;
    kept[1] = two;
    kept_data = data;
    kept_destroy = destroy;
}

/* Only the second is given back. */
void
gijit_unusual_keep_one (GijitUnusualFunc one, GijitUnusualFunc two, gpointer data, GDestroyNotify destroy)
{
    gijit_unusual_keep (one, two, data, destroy);
}

gint
gijit_unusual_run (gint number)
{
    return gijit_unusual_both (number, kept[0], kept[1], kept_data);
}
