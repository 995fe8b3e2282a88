(* Theorem 1: its objects, its printed hypotheses, its two readings and its conclusion. Nothing is proved here.

   A world is a finite probability space. Outcome j has an empirical loss, a population loss, the empirical solution
   w-hat and a shift delta. A valley is an orthonormal family of k directions with slopes p_i, ratios c_i and one
   window. The step goes from w-hat to w-hat + sum_i l_i u^i. The paper's expectation over delta leaves open what is
   random, so every statement is made in two readings:
     random_population   the empirical loss and its solution are fixed, the population loss is random;
     random_empirical    the population loss is fixed, the empirical loss and its solution are random.
   The printed statement is schematic in the step limit (printed: Rmax) and in the radius of the shift gap (printed:
   the length of l), because each is a fault of its own. *)
From Coq Require Import Reals Lra Lia.
From Valleys Require Import Vectors Probability Asymmetry.
Open Scope R_scope.

Record world := World {
  dim : nat;
  outcomes : nat;
  weight : nat -> R;
  empirical : nat -> vec -> R;      (* L-hat_j *)
  population : nat -> vec -> R;     (* L_j *)
  solution : nat -> vec;            (* w-hat_j *)
  shift : nat -> vec                (* delta_j *)
}.

Record valley := Valley {
  count : nat;                      (* k *)
  direction : nat -> vec;           (* u^i *)
  slope : nat -> R;                 (* p_i *)
  ratio : nat -> R;                 (* c_i *)
  inner : R; outer : R              (* the window (r-underbar, r-bar) *)
}.

Definition expect (W : world) (X : nat -> R) : R := EE (outcomes W) (weight W) X.

(* E L(w-hat) - E L(w-hat + sum_i l_i u^i): what the step gains *)
Definition gain (W : world) (V : valley) (l : vec) : R :=
  expect W (fun j => population W j (solution W j)) -
  expect W (fun j => population W j (vadd (solution W j) (vcomb (count V) l (direction V)))).

(* sum_i (c_i - 1) l_i p_i / 2 *)
Definition main_term (V : valley) (l : vec) : R := rsum (count V) (fun i => (ratio V i - 1) * l i * slope V i / 2).

(* the bounds as printed, - 2 k xi, and as corrected, - 2 xi *)
Definition printed_bound (V : valley) (l : vec) (xi : R) : R := main_term V l - 2 * INR (count V) * xi.
Definition corrected_bound (V : valley) (l : vec) (xi : R) : R := main_term V l - 2 * xi.

(* the corrected bound when the shift goes to the flat side of direction i with probability q_i *)
Definition unbalanced_bound (V : valley) (l q : vec) (xi : R) : R :=
  rsum (count V) (fun i => l i * slope V i * ((ratio V i + 1) * q i - 1)) - 2 * xi.

Definition is_min (F : vec -> R) (m : R) : Prop := (exists x, F x = m) /\ forall x, m <= F x.
Definition minimizer (F : vec -> R) (x : vec) : Prop := forall y, F x <= F y.

(* Definition 3: the (delta, R)-shift gap between L and Lhat at w is at most xi; the minima take away the vertical
   difference *)
Definition shift_gap_within (d : nat) (delta : vec) (Rad : R) (L Lhat : vec -> R) (w : vec) (xi : R) : Prop :=
  exists mL mH, is_min L mL /\ is_min Lhat mH /\ forall v, norm d v <= Rad ->
    Rabs ((L (vadd (vadd w v) delta) - mL + mH) - Lhat (vadd w v)) <= xi.

(* Assumption 1, the random shift, for the shift's magnitudes db (in the paper delta with a bar) *)
Definition assumption1 (W : world) (rlo rhi : R) (db : vec) (Rad xi : R) : Prop :=
  (forall i, (i < dim W)%nat -> rlo <= db i <= rhi) /\
  (forall i, (i < dim W)%nat -> Peq (outcomes W) (weight W) (fun j => shift W j i) (db i) = 1/2 /\
                                Peq (outcomes W) (weight W) (fun j => shift W j i) (- db i) = 1/2) /\
  (forall j, (j < outcomes W)%nat ->
     shift_gap_within (dim W) (shift W j) Rad (population W j) (empirical W j) (solution W j) xi).

(* the point w-hat_j + v - <v, u> u, about which Assumption 2 speaks *)
Definition foot (W : world) (j : nat) (u v : vec) : vec :=
  vadd (solution W j) (vsub v (vscal (dot (dim W) v u) u)).

(* Assumption 2, locally asymmetric, on the ball of radius R'; the directions are unit vectors by Definition 1 *)
Definition assumption2 (W : world) (V : valley) (Rad' : R) : Prop :=
  orthonormal (dim W) (count V) (direction V) /\
  forall j, (j < outcomes W)%nat -> forall i, (i < count V)%nat -> forall v, norm (dim W) v <= Rad' ->
    asym (dim W) (inner V) (outer V) (slope V i) (ratio V i) (direction V i) (foot W j (direction V i) v)
      (empirical W j).

(* All hypotheses of the printed theorem, for a step limit and a radius of the shift gap:
   l_i <= limit (outer - db_i) (db_i - inner), and the gap holds on the ball of radius (radius |l| |db|). *)
Record printed_hyps (limit radius : R -> R -> R) (W : world) (V : valley) (db l : vec) (xi : R) : Prop := {
  ph_count : (0 < count V <= dim W)%nat;
  ph_prob : is_prob (outcomes W) (weight W);
  ph_window : 0 < inner V < outer V;
  ph_xi : 0 <= xi;
  ph_terms : forall i, (i < count V)%nat -> 0 < slope V i /\ 1 < ratio V i;
  ph_solution : forall j, (j < outcomes W)%nat -> minimizer (empirical W j) (solution W j);
  ph_shift : assumption1 W (inner V) (outer V) db (radius (norm (count V) l) (norm (dim W) db)) xi;
  ph_asym : assumption2 W V (norm (dim W) db + norm (count V) l);
  (* not printed: continuity along lines, so that no pathology at the window's ends can be blamed *)
  ph_cont : forall j, (j < outcomes W)%nat -> forall i, (i < count V)%nat -> forall w a b,
    line_cont a b (direction V i) w (empirical W j);
  ph_step : forall i, (i < count V)%nat ->
    4 * xi / ((ratio V i - 1) * slope V i) < l i <= limit (outer V - db i) (db i - inner V)
}.

Definition random_population (W : world) : Prop :=
  (exists F, forall j, (j < outcomes W)%nat -> empirical W j = F) /\
  (exists x, forall j, (j < outcomes W)%nat -> solution W j = x).
Definition random_empirical (W : world) : Prop := exists F, forall j, (j < outcomes W)%nat -> population W j = F.

(* Theorem 1 as printed is printed_theorem1 Rmax (fun l _ => l) reading, in each of the two readings. *)
Definition printed_theorem1 (limit radius : R -> R -> R) (reading : world -> Prop) : Prop :=
  forall W V db l xi, printed_hyps limit radius W V db l xi -> reading W -> printed_bound V l xi <= gain W V l.

(* All hypotheses of the corrected theorem. s_i is the projection of the shift on u^i, and it is positive with
   probability q_i; Delta bounds the shift's length and kappa_j is any vertical constant. "Almost surely" means for
   outcomes of positive weight; the condition on v asks for more than the proof uses. No minimiser, no independence,
   no sign of p or c. *)
Record corrected_hyps (W : world) (V : valley) (l q : vec) (Delta xi : R) (kappa : nat -> R) : Prop := {
  ch_prob : is_prob (outcomes W) (weight W);
  ch_orth : orthonormal (dim W) (count V) (direction V);
  ch_step : forall i, (i < count V)%nat -> 0 <= l i;
  ch_length : forall j, (j < outcomes W)%nat -> 0 < weight W j -> norm (dim W) (shift W j) <= Delta;
  ch_sign : forall i, (i < count V)%nat ->
    Ppos (outcomes W) (weight W) (fun j => dot (dim W) (shift W j) (direction V i)) = q i;
  ch_window : forall j i, (j < outcomes W)%nat -> 0 < weight W j -> (i < count V)%nat ->
    let s := dot (dim W) (shift W j) (direction V i) in
    (0 < s /\ inner V + l i <= s <= outer V) \/ (s <= 0 /\ inner V <= - s <= outer V - l i);
  ch_gap : forall j v, (j < outcomes W)%nat -> 0 < weight W j -> norm (dim W) v <= Delta + norm (count V) l ->
    Rabs (population W j (vadd (vadd (solution W j) v) (shift W j)) - empirical W j (vadd (solution W j) v) -
      kappa j) <= xi;
  ch_asym : forall j i v, (j < outcomes W)%nat -> 0 < weight W j -> (i < count V)%nat ->
    norm (dim W) v <= Delta + norm (count V) l ->
    iasym (inner V) (outer V) (slope V i) (ratio V i) (direction V i) (foot W j (direction V i) v) (empirical W j)
}.
